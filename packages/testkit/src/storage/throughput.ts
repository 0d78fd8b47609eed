import type { Storage } from '@bkp/plugin-api'
import { growthDuring, memoryText, type ReportRow, speedText } from '../report/report.js'
import { randomLikeBytes } from '../support/samples.js'
import { forEachParallel } from './observations.js'

// A small index object, a usual pack, and a large one.
const sizes = [
  { what: '10 kB, 200 times', sizeBytes: 10_000, count: 200 },
  { what: '1 MiB, 50 times', sizeBytes: 1_048_576, count: 50 },
  { what: '16 MiB, 8 times', sizeBytes: 16_777_216, count: 8 },
]

/** Puts, gets and removes objects, up to 16 at once. */
export async function storageThroughput(storage: Storage): Promise<ReportRow[]> {
  const rows: ReportRow[] = []
  for (const { what, sizeBytes, count } of sizes) {
    const data = randomLikeBytes(sizeBytes, count)
    const keys = Array.from({ length: count }, (_, n) => `packs/${sizeBytes}-${n}`)
    const speed = async (action: (key: string) => Promise<unknown>) => {
      const start = performance.now()
      await forEachParallel(keys, async (key) => {
        await action(key)
      })
      return speedText((count * sizeBytes) / 1000 / (performance.now() - start))
    }
    const cells: Record<string, string> = {}
    const growth = await growthDuring(async () => {
      cells.put = await speed((key) => storage.put(key, data))
      cells.get = await speed((key) => storage.get(key))
    })
    if (storage.capabilities.canRemove) for (const key of keys) await storage.remove(key)
    rows.push({ what, cells: { ...cells, memory: memoryText(growth) } })
  }
  return rows
}
