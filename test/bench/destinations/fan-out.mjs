// One local destination against three: what is sent more often is not read, compressed and encrypted more often.
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { makeDataset } from '../dataset.mjs'
import { measure } from '../measure.mjs'
import { line, ratios } from './figures.mjs'
import { bkp, secret } from './tools.mjs'

const wanted = 1.25

export async function fanOut({ work, rounds, mib }) {
  const source = join(work, `usr-lib-${mib}`)
  const { files, bytes } = await makeDataset(source, { roots: ['/usr/lib'], mostBytes: mib * 2 ** 20 })
  console.log(
    `\nFan-out: ${files} files, ${(bytes / 2 ** 20).toFixed(0)} MiB of /usr/lib, fresh repositories each time`,
  )
  const results = []
  for (let round = 0; round < rounds; round++) {
    for (const count of round % 2 === 0 ? [1, 3] : [3, 1]) {
      const places = Array.from({ length: count }, (_, n) => join(work, `replica-${n}`))
      const to = places.flatMap((place) => ['--to', place])
      const env = { BKP_PASSWORD: secret, BKP_CACHE_DIR: join(work, 'cache-fan-out'), XDG_CONFIG_HOME: '/nonexistent' }
      const run = (...args) => measure({ program: process.execPath, args: [bkp, ...args, ...to], env })
      await run('init')
      spawnSync('sync')
      const figures = await run('backup', source)
      results.push({ part: 'fan-out', round, destinations: count, ...figures })
      console.log(`round ${round + 1}  ${count} local ${line(figures)}`)
      for (const place of [...places, join(work, 'cache-fan-out')]) rmSync(place, { recursive: true, force: true })
    }
  }
  const of = (count, figure) => results.filter(({ destinations }) => destinations === count).map((one) => one[figure])
  console.log(`CPU of three to one: ${ratios(of(3, 'cpuSeconds'), of(1, 'cpuSeconds'))} (wanted: at most ${wanted})`)
  console.log(`wall of three to one: ${ratios(of(3, 'wallSeconds'), of(1, 'wallSeconds'))}`)
  return results
}
