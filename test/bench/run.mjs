// npm run bench [-- --data DIR] [--rounds N] [--json FILE]: bkp against restic and borg, where they are installed, over the same
// data in one go, in turn. Installs nothing and drops no result. Needs a built checkout (npm run build).
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, release, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { changeFiles, makeDataset } from './dataset.mjs'
import { line, median } from './destinations/figures.mjs'
import { measure, sizeOf } from './measure.mjs'
import { tools } from './tools.mjs'

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    json: { type: 'string' },
    work: { type: 'string' },
  },
})
const work = values.work ?? join(tmpdir(), 'bkp-bench')
const source = values.data ?? join(work, 'data')
mkdirSync(work, { recursive: true })
const { files, bytes } = await makeDataset(source)
const present = tools.filter((tool) => tool.version() !== undefined)
console.log(
  `${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}, Node ${process.version}`,
)
console.log(`${files} files, ${(bytes / 2 ** 30).toFixed(2)} GiB in ${source}`)
for (const tool of present) console.log(`${tool.name}: ${tool.version()}`)

const phases = ['first backup', 'nothing changed', '1% changed', 'restore', 'check of all data']
const targets = {
  'first backup': { wall: 0.5, cpu: 0.5, stored: 1.1 },
  'nothing changed': { wall: 0.3 },
  '1% changed': { wall: 0.4 },
  restore: { wall: 0.7 },
  'check of all data': { wall: 0.8 },
}
const results = []
const restored = []
for (let round = 0; round < Number(values.rounds); round++) {
  const order = round % 2 === 0 ? present : [...present].reverse()
  // An earlier bench that was broken off may have left some.
  for (const tool of present) rmSync(join(work, `${tool.name}-restored-${round}`), { recursive: true, force: true })
  const places = new Map(order.map((tool) => [tool.name, join(work, `${tool.name}-repository`)]))
  for (const tool of order) {
    rmSync(places.get(tool.name), { recursive: true, force: true })
    await tool.init(places.get(tool.name))
  }
  for (const phase of phases) {
    // Every tool sees the same change, made once before any of them runs.
    if (phase === '1% changed') changeFiles(source, round)
    for (const tool of order) {
      const target = join(work, `${tool.name}-restored-${round}`)
      if (phase === 'restore') restored.push(target)
      mkdirSync(target, { recursive: true })
      const repository = places.get(tool.name)
      // What the tool before has left to be written to the disk must not be this one's to wait for.
      spawnSync('sync')
      const figures = await measure(tool.command(phase, repository, source, target))
      const stored = phase === 'first backup' ? { storedBytes: sizeOf(repository) } : {}
      results.push({ round, tool: tool.name, phase, ...figures, ...stored })
      console.log(`round ${round + 1}  ${phase.padEnd(18)} ${tool.name.padEnd(7)} ${line(figures)}`)
    }
  }
}
// Not before the last of all: ext4 looks at every inode that was deleted in the last five minutes when it makes a file.
for (const target of restored) rmSync(target, { recursive: true, force: true })

console.log(
  '\nMedians, and bkp in proportion to restic: of medians / median of the ratios of each round (wanted: at most)',
)
for (const phase of phases) {
  const of = (name, figure) =>
    median(results.filter((r) => r.tool === name && r.phase === phase && r[figure] !== undefined).map((r) => r[figure]))
  for (const { name } of present) {
    const figures = {
      wallSeconds: of(name, 'wallSeconds'),
      cpuSeconds: of(name, 'cpuSeconds'),
      peakMiB: of(name, 'peakMiB'),
    }
    console.log(
      `${phase.padEnd(18)} ${name.padEnd(7)} ${line(figures)}${phase === 'first backup' ? `  stored ${(of(name, 'storedBytes') / 2 ** 20).toFixed(0)} MiB` : ''}`,
    )
  }
  if (!present.some(({ name }) => name === 'restic')) continue
  // Where the machine is not equally fast all the time, runs of one round have more in common than medians have.
  const byRound = (figure) => {
    const at = (name, round) => results.find((r) => r.tool === name && r.phase === phase && r.round === round)[figure]
    return median(Array.from({ length: Number(values.rounds) }, (_, n) => at('bkp', n) / at('restic', n)))
  }
  const ratio = (figure) => `${(of('bkp', figure) / of('restic', figure)).toFixed(2)} / ${byRound(figure).toFixed(2)}`
  const wanted = targets[phase]
  const parts = [
    `wall ${ratio('wallSeconds')} (${wanted.wall})`,
    `cpu ${ratio('cpuSeconds')}${wanted.cpu ? ` (${wanted.cpu})` : ''}`,
  ]
  if (wanted.stored) parts.push(`stored ${ratio('storedBytes')} (${wanted.stored})`)
  console.log(`${''.padEnd(18)} ratio   ${parts.join('  ')}`)
}
await startUp()
if (values.json !== undefined)
  writeFileSync(values.json, `${JSON.stringify({ node: process.version, files, bytes, results }, undefined, 2)}\n`)

async function startUp() {
  const version = []
  const bare = []
  for (let n = 0; n < 9; n++) {
    bare.push((await measure({ program: process.execPath, args: ['-e', '0'] })).wallSeconds)
    version.push((await measure(tools[0].versionCommand())).wallSeconds)
  }
  const extra = (median(version) - median(bare)) * 1000
  console.log(
    `\nbkp --version: ${(median(version) * 1000).toFixed(0)} ms, ${extra.toFixed(0)} ms more than node -e 0 (wanted: at most 150; medians of 9)`,
  )
}

if (!existsSync(source)) process.exitCode = 1
