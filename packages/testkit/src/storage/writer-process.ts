// A program that `describeKilledWriters` starts and kills. Its argument is a `WriterOrder` in JSON.
import { apiVersion, isPlugin, type StorageFactory } from '@bkp/plugin-api'

export interface WriterOrder {
  readonly entry: string
  readonly id: string
  readonly url: string
  readonly configuration: Readonly<Record<string, unknown>>
  /** Put one after the other. */
  readonly objects: readonly { readonly key: string; readonly sizeBytes: number; readonly filledWith: number }[]
}

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined }

async function write(order: WriterOrder): Promise<void> {
  const plugin: unknown = ((await import(order.entry)) as { default?: unknown }).default
  if (!isPlugin(plugin)) throw new Error(`${order.entry} exports no plugin`)
  const factories = new Map<string, StorageFactory>()
  await plugin.activate({
    apiVersion,
    log: silent,
    registerStorage: (id, factory) => factories.set(id, factory),
    registerNotifier: () => undefined,
  })
  const open = factories.get(order.id)
  if (open === undefined) throw new Error(`${order.entry} has no storage ${order.id}`)
  const storage = await open({ url: order.url, configuration: order.configuration, intent: 'open', log: silent })
  for (const { key, sizeBytes, filledWith } of order.objects) {
    const bytes = new Uint8Array(sizeBytes).fill(filledWith)
    process.stdout.write(`begins ${key}\n`)
    await storage.put(key, bytes)
    process.stdout.write(`stored ${key}\n`)
  }
  await storage.close()
}

await write(JSON.parse(process.argv[2] ?? '') as WriterOrder)
