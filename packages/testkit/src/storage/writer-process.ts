// A program that `describeKilledWriters` starts and kills. Its argument is a `WriterOrder` in JSON.
import { openStorageOf } from '../host/open-contribution.js'

export interface WriterOrder {
  readonly entry: string
  readonly id: string
  readonly url: string
  readonly configuration: Readonly<Record<string, unknown>>
  /** Put one after the other. */
  readonly objects: readonly { readonly key: string; readonly sizeBytes: number; readonly filledWith: number }[]
}

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

await write(JSON.parse(process.argv[2] ?? '') as WriterOrder)
