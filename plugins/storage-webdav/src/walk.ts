import { isPortError, type StoredObject } from '@bkp/plugin-api'
import type { Connection } from './connection.js'
import { isKey, pathOfKey, segmentOfName } from './keys.js'
import { lookInto } from './looking.js'
import { sizeOf } from './reading.js'

/** Collections that are looked into at once. */
const atOnce = 8

export interface Walk {
  readonly connection: Connection
  readonly prefix: string
  readonly signal: AbortSignal | undefined
}

/**
 * The objects whose key begins with a prefix. Asks collection by collection, since many servers refuse a depth without
 * end, and others die of it.
 * @returns `missing` when the collection where it starts is not there
 */
export async function* walk({ connection, prefix, signal }: Walk): AsyncGenerator<StoredObject, 'missing' | 'walked'> {
  const start = prefix.slice(0, prefix.lastIndexOf('/') + 1)
  // Ends what is on its way when the consumer leaves or one request fails.
  const leaving = new AbortController()
  const both = signal === undefined ? leaving.signal : AbortSignal.any([signal, leaving.signal])
  const visit = async (folder: string) => {
    const contents = await lookInto(connection, {
      path: pathOfKey(folder),
      what: `Cannot list ${folder === '' ? 'the repository' : folder}`,
      signal: both,
    })
    return { folder, contents }
  }
  const waiting = [start]
  const running = new Map<string, ReturnType<typeof visit>>()
  try {
    while (waiting.length > 0 || running.size > 0) {
      for (
        let folder = waiting.pop();
        folder !== undefined;
        folder = running.size < atOnce ? waiting.pop() : undefined
      ) {
        const visiting = visit(folder)
        // Each is awaited below, or no longer of interest.
        visiting.catch(() => undefined)
        running.set(folder, visiting)
      }
      const { folder, contents } = await Promise.race(running.values())
      running.delete(folder)
      if (contents === undefined && folder === start) return 'missing'
      const seen = new Set<string>()
      for (const { name, kind, sizeBytes } of contents?.children ?? []) {
        const segment = segmentOfName(name)
        const key = `${folder}${segment}`
        if (segment === undefined || seen.has(name) || !key.startsWith(prefix) || !isKey(key)) continue
        seen.add(name)
        if (kind === 'collection') waiting.push(`${key}/`)
        else if (sizeBytes !== undefined) yield { key, sizeBytes }
        else yield* measured(connection, key, both)
        signal?.throwIfAborted()
      }
    }
    return 'walked'
  } finally {
    leaving.abort(new Error('the list was left'))
  }
}

/** Some servers keep the size to themselves in a list. Nothing when the object is gone meanwhile. */
async function* measured(connection: Connection, key: string, signal: AbortSignal): AsyncGenerator<StoredObject> {
  try {
    yield { key, sizeBytes: await sizeOf(connection, key, { what: `Cannot look at ${key}`, signal }) }
  } catch (error) {
    if (!isPortError(error, 'not-found')) throw error
  }
}
