import type { Source } from '@bkp/plugin-api'
import { growthDuring, memoryText, type ReportRow, speedText } from '../report/report.js'
import { type ExpectedFile, pathOf } from './describe-source.js'

const leastMs = 200
const pieceBytes = 1_048_576

/** Reads all files of the fixture again and again, as one thread does. */
export async function sourceThroughput(source: Source, files: readonly ExpectedFile[]): Promise<ReportRow[]> {
  const into = new Uint8Array(pieceBytes)
  const start = performance.now()
  let [bytes, opened] = [0, 0]
  const growth = await growthDuring(async () => {
    do {
      for (const { path } of files) {
        const reader = await source.openFile(pathOf(path), await source.inspect(pathOf(path)))
        for (let count = await reader.read(into); count > 0; count = await reader.read(into)) bytes += count
        await reader.close()
        opened++
      }
    } while (performance.now() - start < leastMs)
  })
  const seconds = (performance.now() - start) / 1000
  const average = Math.round(bytes / Math.max(1, opened))
  const cells = {
    read: speedText(bytes / 1e6 / seconds),
    files: `${Math.round(opened / seconds)} a second`,
    memory: memoryText(growth),
  }
  return [{ what: `files of ${average} bytes`, cells }]
}
