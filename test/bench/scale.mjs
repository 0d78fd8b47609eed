// npm run bench:scale [-- --chunks N --files N,N,N]: how time and memory grow with the number of chunks in a repository and of
// files in a run. Needs a built checkout. The chunks and files are made up; the processes that are measured are real.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { measure } from './measure.mjs'

const { values } = parseArgs({
  options: {
    chunks: { type: 'string', default: '0,1000000,10000000' },
    files: { type: 'string', default: '10000,100000,1000000' },
  },
})
const here = dirname(fileURLToPath(import.meta.url))
const cli = join(here, '../../packages/cli/bin/run.js')
const step = join(here, 'scale-step.mjs')
const work = mkdtempSync(join(tmpdir(), 'bkp-scale-'))
const env = { BKP_PASSWORD: 'bench' }
const numbers = (text) => text.split(',').map(Number)
console.log(`${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.version}`)

// A run that finds nothing new loads the whole index and little else: what it takes more than with none is the index.
const source = join(work, 'source')
mkdirSync(source)
writeFileSync(join(source, 'file'), 'a file')
let base
console.log('\nchunks in the index, and a backup of one file:')
for (const chunks of numbers(values.chunks)) {
  const repository = join(work, `index-${chunks}`)
  await measure({ program: process.execPath, args: [step, 'index', String(chunks), repository] })
  const backup = { program: process.execPath, args: [cli, 'backup', source, '--to', repository], env }
  const figures = await measure(backup)
  base ??= figures
  const bytesEach = ((figures.peakMiB - base.peakMiB) * 2 ** 20) / chunks
  const each = chunks === 0 ? '' : `  ${bytesEach.toFixed(1)} bytes of memory for each chunk (wanted: at most 64)`
  console.log(`${String(chunks).padStart(10)}  ${line(figures)}${each}`)
  rmSync(repository, { recursive: true })
}

console.log('\nfiles in one run, each new:')
for (const files of numbers(values.files)) {
  const repository = join(work, `files-${files}`)
  const figures = await measure({ program: process.execPath, args: [step, 'files', String(files), repository] })
  console.log(`${String(files).padStart(10)}  ${line(figures)}  ${(files / figures.wallSeconds).toFixed(0)} files/s`)
  rmSync(repository, { recursive: true })
}
rmSync(work, { recursive: true })

function line({ wallSeconds, cpuSeconds, peakMiB }) {
  return `${wallSeconds.toFixed(1).padStart(6)} s wall  ${cpuSeconds.toFixed(1).padStart(6)} s cpu  ${peakMiB.toFixed(0).padStart(5)} MiB peak`
}
