// npm run bench:plugins [-- --only start-up|calls] [--rounds N] [--mib N] [--work DIR]: what third-party plugins cost. Start-up with
// twenty installed against none, and storage-local through a linked package of a stranger against the same one that comes with bkp,
// over the data of `npm run bench`. What is restored is kept to the end. Needs a built checkout.
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { makeDataset } from './dataset.mjs'
import { line, median, ratios } from './destinations/figures.mjs'
import { bkp, secret } from './destinations/tools.mjs'
import { measure } from './measure.mjs'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    work: { type: 'string' },
    mib: { type: 'string' },
    only: { type: 'string' },
  },
})
const rounds = Number(values.rounds)
const work = values.work ?? join(tmpdir(), 'bkp-bench-plugins')
const root = fileURLToPath(new URL('../../', import.meta.url))
rmSync(work, { recursive: true, force: true })
mkdirSync(work, { recursive: true })
const env = (data) => ({
  BKP_PASSWORD: secret,
  BKP_DATA_DIR: join(work, data),
  BKP_CACHE_DIR: join(work, 'cache'),
  XDG_CONFIG_HOME: '/nonexistent',
})
const command = (data, args) => ({ program: process.execPath, args: [bkp, ...args], env: env(data) })
const run = (data, ...args) => measure(command(data, args))
console.log(`${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}, load ${loadavg()[0].toFixed(1)}`)

/** A storage and a compression as a stranger writes them; its code says so when it is loaded, which must not happen. */
function writePlugin(folder, n) {
  mkdirSync(folder, { recursive: true })
  const contributes = {
    storage: [
      {
        id: `bench${n}`,
        schemes: [`bench${n}`],
        configuration: { type: 'object', properties: { region: { type: 'string' } } },
      },
    ],
    compression: [{ id: `bench-codec-${n}`, module: './index.js' }],
  }
  const manifest = { api: '^1.0.0', displayName: `Bench ${n}`, contributes }
  const description = {
    name: `bkp-bench-${n}`,
    version: '1.0.0',
    type: 'module',
    exports: './index.js',
    files: ['index.js'],
    bkp: manifest,
  }
  writeFileSync(join(folder, 'package.json'), JSON.stringify(description))
  writeFileSync(join(folder, 'index.js'), "throw new Error('loaded without need')\n")
}

async function startUp() {
  for (let n = 0; n < 20; n++) {
    const folder = join(work, `plugin-${n}`)
    writePlugin(folder, n)
    const [{ filename, integrity }] = JSON.parse(
      execFileSync('npm', ['pack', '--json'], { cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] }),
    )
    await run('twenty', 'plugins:install', join(folder, filename), '--yes', '--integrity', integrity)
  }
  const repository = join(work, 'start-up')
  await run('none', 'init', '--to', repository)
  await run('none', 'backup', join(root, 'docs'), '--to', repository)
  console.log(`\nStart-up, ${rounds} rounds, wall time of the whole process`)
  for (const args of [['--version'], ['snapshots', '--from', repository]]) {
    const seconds = { none: [], twenty: [] }
    for (let round = 0; round < rounds; round++)
      for (const data of round % 2 === 0 ? ['none', 'twenty'] : ['twenty', 'none'])
        seconds[data].push((await run(data, ...args)).wallSeconds)
    tell(`bkp ${args[0]}, twenty plugins to none`, seconds.twenty, seconds.none, 1.15)
  }
}

/** storage-local as somebody else would publish it, with a scheme of its own. */
function writeTwin() {
  const folder = join(work, 'bkp-twin')
  cpSync(join(root, 'plugins/storage-local/dist/bundle'), join(folder, 'dist/bundle'), { recursive: true })
  const description = JSON.parse(readFileSync(join(root, 'plugins/storage-local/package.json'), 'utf8'))
  const text = JSON.stringify({ ...description, name: 'bkp-twin', version: '1.0.0' })
  writeFileSync(join(folder, 'package.json'), text.replaceAll('"local"', '"twin"').replaceAll('"file"', '"twin"'))
  const path = join(folder, 'dist/bundle/index.js')
  const code = readFileSync(path, 'utf8')
    .replaceAll('"local"', '"twin"')
    .replaceAll('"file:"', '"twin:"')
    .replace('fileURLToPath(request.url)', "request.url.slice('twin://'.length)")
  writeFileSync(path, code)
  mkdirSync(join(folder, 'node_modules/@bkp'), { recursive: true })
  symlinkSync(join(root, 'packages/plugin-api'), join(folder, 'node_modules/@bkp/plugin-api'))
  return folder
}

async function apiCost() {
  await run('twin', 'plugins:link', writeTwin(), '--yes', '--name', 'bkp-twin')
  const source = join(work, 'source')
  const { files, bytes } = await makeDataset(
    source,
    values.mib === undefined ? {} : { mostBytes: Number(values.mib) * 2 ** 20 },
  )
  console.log(`\nstorage-local as a stranger's linked package: ${files} files, ${(bytes / 2 ** 20).toFixed(0)} MiB`)
  const results = []
  for (let round = 0; round < rounds; round++) {
    for (const name of round % 2 === 0 ? ['built-in', 'linked'] : ['linked', 'built-in']) {
      const folder = join(work, `repository-${name}`)
      const place = name === 'linked' ? `twin://${folder}` : folder
      // Kept to the end: ext4 looks at every inode that was deleted in the last five minutes when it makes a file.
      const target = join(work, `restored-${name}-${round}`)
      await run('twin', 'init', '--to', place)
      for (const [phase, args] of Object.entries({
        backup: ['backup', source, '--to', place],
        unchanged: ['backup', source, '--to', place],
        restore: ['restore', 'latest', '--from', place, '--target', target],
      })) {
        execFileSync('sync')
        const figures = await run('twin', ...args)
        results.push({ name, phase, ...figures })
        console.log(`round ${round + 1}  ${phase.padEnd(9)} ${name.padEnd(8)} ${line(figures)}`)
      }
      rmSync(folder, { recursive: true })
    }
  }
  const of = (name, phase, figure) =>
    results.filter((one) => one.name === name && one.phase === phase).map((one) => one[figure])
  for (const phase of ['backup', 'restore'])
    for (const figure of ['wallSeconds', 'cpuSeconds'])
      tell(
        `${figure} of ${phase}, linked to built-in`,
        of('linked', phase, figure),
        of('built-in', phase, figure),
        1.03,
      )
  // So short that it shows what the thread of the plugin costs to start, however little goes through it.
  const fixed = median(of('linked', 'unchanged', 'cpuSeconds')) - median(of('built-in', 'unchanged', 'cpuSeconds'))
  console.log(`cpuSeconds of a backup of nothing new: ${(fixed * 1000).toFixed(0)} ms more by medians`)
}

function tell(what, ours, theirs, wanted) {
  console.log(`${what}: ${ratios(ours, theirs, 3)} (wanted: at most ${wanted})`)
}

if (values.only !== 'calls') await startUp()
if (values.only !== 'start-up') await apiCost()
rmSync(work, { recursive: true, force: true })
