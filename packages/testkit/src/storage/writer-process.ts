// A program that `describeKilledWriters` starts and kills. Its order comes through standard input.
import { text } from 'node:stream/consumers'
import { openStorageOf } from '../host/open-contribution.js'
import { orderOfText, type WriterOrder } from './writer-order.js'

async function write(order: WriterOrder): Promise<void> {
  const plugin: unknown = ((await import(order.entry)) as { default?: unknown }).default
  const { id, url, configuration } = order
  const storage = await openStorageOf(plugin, { id, url, configuration })
  for (const { key, sizeBytes, filledWith } of order.objects) {
    const bytes = new Uint8Array(sizeBytes).fill(filledWith)
    process.stdout.write(`begins ${key}\n`)
    await storage.put(key, bytes)
    process.stdout.write(`stored ${key}\n`)
  }
  await storage.close()
}

await write(orderOfText(await text(process.stdin)))
