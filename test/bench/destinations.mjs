// npm run bench:destinations [-- --only fan-out,sftp,s3,stalled] [--rounds N] [--mib N] [--work DIR] [--json FILE]: what several
// destinations cost, and how fast bkp is to servers on loopback, against restic and rclone where they are installed, in turn over
// the same data in one go. Installs nothing and drops no result. Needs a built checkout (npm run build).
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, release, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { fanOut } from './destinations/fan-out.mjs'
import { hasServer } from './destinations/servers.mjs'
import { stalled } from './destinations/stalled.mjs'
import { throughS3, throughSftp } from './destinations/throughput.mjs'
import { toolsFor } from './destinations/tools.mjs'

const parts = {
  'fan-out': { run: fanOut, mib: 600 },
  sftp: { run: throughSftp, mib: 1200, server: 'openssh' },
  s3: { run: throughS3, mib: 1200, server: 'ceph' },
  stalled: { run: stalled, mib: 1024, server: 'openssh' },
}
const { values } = parseArgs({
  options: {
    only: { type: 'string', default: Object.keys(parts).join(',') },
    rounds: { type: 'string', default: '5' },
    mib: { type: 'string' },
    work: { type: 'string', default: join(tmpdir(), 'bkp-bench-destinations') },
    json: { type: 'string' },
  },
})
// So that servers end with it.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(130))
mkdirSync(values.work, { recursive: true })
console.log(
  `${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}, Node ${process.version}`,
)
for (const { name, version } of toolsFor({}, values.work)) console.log(`${name}: ${version()}`)
// Loopback shows what a tool costs, not what a line gives; other work on the machine shows in every figure.
console.log(
  `load of the machine at the start: ${loadavg()
    .map((load) => load.toFixed(1))
    .join(' ')}`,
)

const results = []
for (const name of values.only.split(',')) {
  const part = parts[name]
  if (part === undefined) throw new Error(`There is no part ${name}; there are ${Object.keys(parts).join(', ')}`)
  if (part.server !== undefined && !(await hasServer(part.server))) {
    console.log(`\n${name}: not run, ${part.server} is not installed (npm run test:servers -- --install)`)
    continue
  }
  const mib = values.mib === undefined ? part.mib : Number(values.mib)
  results.push(...(await part.run({ work: values.work, rounds: Number(values.rounds), mib })))
}
console.log(
  `\nload of the machine at the end: ${loadavg()
    .map((load) => load.toFixed(1))
    .join(' ')}`,
)
if (values.json !== undefined)
  writeFileSync(values.json, `${JSON.stringify({ node: process.version, results }, undefined, 2)}\n`)
