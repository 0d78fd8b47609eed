// npm run quickstart [-- FOLDER]: the main job on real files, from nothing to a compared restore.
import { spawnSync } from 'node:child_process'
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { build } from './build.mjs'
import { compareTrees } from './compare-trees.mjs'
import { root, setup } from './setup.mjs'

setup()
build()

const folder = resolve(process.argv[2] ?? root)
const work = mkdtempSync(join(tmpdir(), 'bkp-quickstart-'))
const repository = join(work, 'repository')
const target = join(work, 'restored')
const env = { ...process.env, BKP_PASSWORD: 'quickstart' }
const mib = (bytes) => `${(bytes / 1024 / 1024).toFixed(1)} MiB`

function bkp(...args) {
  const started = performance.now()
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, 'packages/cli/bin/run.js'), ...args, '--json'],
    {
      env,
      encoding: 'utf8',
      maxBuffer: 1 << 30,
    },
  )
  const document = stdout === '' ? {} : JSON.parse(stdout)
  if (status !== 0 && status !== 3) {
    console.error(`bkp ${args.join(' ')} ended with ${status}\n${document.error?.message ?? ''}\n${stderr}`)
    process.exit(1)
  }
  return { ...document, seconds: (performance.now() - started) / 1000, status }
}

console.log(`\nBacking up ${folder}\n`)
const created = bkp('init', '--to', repository)
console.log(`1. init      repository ${created.repository.slice(0, 8)} in ${repository}`)

const first = bkp('backup', folder, '--to', repository)
const { stats } = first
console.log(
  `2. backup    ${stats.files} files, ${mib(stats.bytes)} in ${first.seconds.toFixed(1)} s (${mib(stats.bytes / first.seconds)}/s); ${mib(stats.storedBytes)} stored`,
)
for (const issue of first.issues) console.log(`   issue     ${issue.path}: ${issue.message}`)

// The change is made in a copy of our own: nobody's files are touched.
const small = join(work, 'small')
mkdirSync(small)
cpSync(join(root, 'docs'), join(small, 'docs'), { recursive: true })
bkp('backup', small, '--to', repository)
appendFileSync(join(small, 'docs', 'format.md'), 'one more line\n')
const second = bkp('backup', small, '--to', repository)
console.log(
  `3. a change  ${second.stats.filesChanged} of ${second.stats.files} files read again, ${second.stats.storedBytes} bytes stored, ${second.seconds.toFixed(1)} s`,
)

const again = bkp('backup', folder, '--to', repository)
console.log(`4. backup    again: ${again.stats.filesUnchanged} files unchanged, ${again.seconds.toFixed(1)} s`)

const { snapshots } = bkp('snapshots', '--from', repository)
console.log(`5. snapshots ${snapshots.length}: ${snapshots.map(({ id }) => id.slice(0, 8)).join(' ')}`)

const restored = bkp('restore', `${again.snapshot}:${folder}`, '--from', repository, '--target', target)
console.log(`6. restore   ${restored.files} files in ${restored.seconds.toFixed(1)} s to ${target}`)

const { compared, differences } = compareTrees(folder, target)
for (const difference of differences.slice(0, 20)) console.log(`   differs   ${difference}`)
console.log(`7. compare   ${compared} entries byte for byte: ${differences.length} differences`)

const checked = bkp('check', '--from', repository, '--read-data')
console.log(`8. check     ${checked.packsRead} packs read, ${checked.damages.length} damaged`)
if (differences.length > 0 || checked.damages.length > 0) process.exit(1)

const cli = 'node packages/cli/bin/run.js'
console.log(`
It works. Next, with a passphrase of your own and a disk of your own:

  ${cli} init --to /mnt/disk/backup
  ${cli} backup ~/documents --to /mnt/disk/backup
  ${cli} snapshots --from /mnt/disk/backup
  ${cli} restore latest --from /mnt/disk/backup --target /tmp/restored
`)
rmSync(work, { recursive: true, force: true })
