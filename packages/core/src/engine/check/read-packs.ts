import { isPortError } from '@bkp/plugin-api'
import { packKey } from '../../format/ids.js'
import type { RepositoryIndex } from '../../repository/repository-index.js'
import { abortError } from '../abort.js'
import type { CheckOptions } from '../api.js'
import type { OperationContext } from '../context.js'
import { foreignIn } from '../plugin-access.js'
import { WorkerPool } from '../worker/pool.js'
import type { CheckSetup, FromCheckWorker, ToCheckWorker } from './protocol.js'

export interface FaultyPack {
  readonly pack: number
  readonly faults: readonly string[]
  readonly badEntries: Uint32Array
  /** Nothing of it can be used. */
  readonly isUnreadable: boolean
}

/** Packs that a thread has at a time: one in work, one waiting. */
const packsPerThread = 2

/** Reads packs and has threads verify them. */
export async function readPacksInThreads(
  context: OperationContext,
  index: RepositoryIndex,
  packs: readonly number[],
  options: CheckOptions,
): Promise<{ readonly bytes: number; readonly faulty: readonly FaultyPack[] }> {
  if (packs.length === 0) return { bytes: 0, faulty: [] }
  const faulty: FaultyPack[] = []
  let bytes = 0
  let done = 0
  let fail: (error: unknown) => void = () => undefined
  const failure = new Promise<never>((_, reject) => {
    fail = reject
  })
  failure.catch(() => undefined)
  const waiting = new Map<number, () => void>()
  const { repository } = context
  const codecs = context.describeCodecs(index.compressions)
  const pool = new WorkerPool<CheckSetup, ToCheckWorker, FromCheckWorker>({
    role: 'check',
    ...context.poolParts,
    threads: Math.min(context.threads, packs.length),
    foreign: foreignIn(codecs),
    setup: {
      repositoryId: repository.id,
      keys: repository.keys,
      table: index.table.handle,
      codecs,
    },
    onFailure: fail,
    onMessage: (_, message) => {
      bytes += message.bytes
      done++
      const isUnreadable = message.faults.length > 0 && message.blobs === 0
      if (message.faults.length > 0) faulty.push({ ...message, isUnreadable })
      options.onEvent?.({
        kind: 'progress',
        filesDone: done,
        bytesDone: bytes,
        storedBytes: 0,
        errors: faulty.length,
        totalFiles: packs.length,
        totalBytes,
      })
      waiting.get(message.pack)?.()
    },
  })
  const totalBytes = packs.reduce((sum, pack) => sum + index.packs.sizeOf(pack), 0)
  const onAbort = () => fail(abortError(options.signal))
  options.signal?.addEventListener('abort', onAbort, { once: true })
  let next = 0
  const feed = async (thread: number): Promise<void> => {
    for (let pack = packs[next++]; pack !== undefined; pack = packs[next++]) {
      const name = index.packs.nameOf(pack)
      const read = await readPack(context, name)
      if (typeof read === 'string') {
        done++
        faulty.push({ pack, faults: [read], badEntries: new Uint32Array(0), isUnreadable: true })
        continue
      }
      const verified = new Promise<void>((resolve) => waiting.set(pack, resolve))
      // Reads smaller than Node's buffer pool may share their memory with others: those are copied, not moved.
      const whole = read.byteLength === read.buffer.byteLength ? read : read.slice()
      pool.send(thread, { kind: 'pack', pack, name, bytes: whole }, [whole.buffer as ArrayBuffer])
      await verified
      waiting.delete(pack)
    }
  }
  try {
    const feeding = Array.from({ length: pool.threads * packsPerThread }, (_, n) => feed(n % pool.threads))
    await Promise.race([Promise.all(feeding), failure])
  } finally {
    options.signal?.removeEventListener('abort', onAbort)
    await pool.close()
  }
  return { bytes, faulty }
}

/** The bytes, or what is wrong. Checking goes on with the next pack. */
async function readPack(context: OperationContext, name: string): Promise<Uint8Array | string> {
  try {
    return await context.storage.get(packKey(name))
  } catch (error) {
    if (isPortError(error, 'corrupt') || isPortError(error, 'not-found')) return error.message
    throw error
  }
}
