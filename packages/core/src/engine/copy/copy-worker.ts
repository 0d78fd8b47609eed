import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import { BkpError, damaged, isBkpError } from '../../errors/index.js'
import { packCapacityBytes } from '../../format/pack.js'
import { createKeyedHasher } from '../../hash/keyed-hasher.js'
import { BlobReader, type BlobReaderParts, openPack } from '../../repository/blob-reader.js'
import { ChunkTable } from '../../repository/chunk-table.js'
import { Codecs } from '../../repository/codecs.js'
import { transferOf } from '../../transfer.js'
import { type BlobType, BlobWriter, blobType } from '../backup/blob-writer.js'
import { allSettled } from '../worker/all-settled.js'
import type { Meter } from '../worker/call-meter.js'
import type { WorkerStart } from '../worker/pool.js'
import { SharedState } from '../worker/shared-state.js'
import { IdMap } from './id-map.js'
import { Translator } from './named-ids.js'
import type { BlobFault, CopySetup, CopySide, FromCopyWorker, ToCopyWorker } from './protocol.js'

/** Packs on their way to the target, over all threads: bounds memory. */
const packsInFlight = 4
const structurePacksBytes = 48 * 1024 * 1024

/** One thread of a copy: opens blobs of the source, and seals them for the target. */
export async function startCopyWorker(
  port: MessagePort,
  start: WorkerStart<CopySetup>,
  { meter }: { readonly meter: Meter },
): Promise<void> {
  const { setup, index } = start
  const shared = new SharedState(start.shared)
  const counters = shared.countersOf(index)
  const post = (message: FromCopyWorker, transfer: readonly ArrayBuffer[] = []) => port.postMessage(message, transfer)
  const [source, target] = await allSettled([partsOf(setup.source, meter), partsOf(setup.target, meter)])
  const map = new IdMap(setup.map)
  const translator = new Translator(map, source.table, target.table)
  const fetches = new Map<number, { resolve: (bytes: Uint8Array) => void; reject: (error: Error) => void }>()
  const fetchPack = (pack: number) =>
    new Promise<Uint8Array>((resolve, reject) => {
      fetches.set(pack, { resolve, reject })
      post({ kind: 'fetch', pack })
    })
  const reader = new BlobReader(source, fetchPack, structurePacksBytes)
  const spare: Uint8Array[] = []
  const writer = new BlobWriter({
    ...target,
    compression: { number: setup.compression, id: setup.target.codecs.compressions[setup.compression]?.id ?? 'none' },
    cipherId: setup.cipherId,
    sharesPacks: setup.sharesPacks,
    counters,
    recycled: () => {
      takeMessages()
      return spare.pop()
    },
    emit: ({ bytes, rows, compressionIds, name, kind }) => {
      meter.waiting(() => shared.enterPack(packsInFlight))
      post({ kind: 'stored', name, packKind: kind, bytes, rows, compressionIds }, transferOf(bytes))
    },
  })
  const wanted = new Uint32Array(8)
  const found = new Uint32Array(8)
  const foundBytes = new Uint8Array(found.buffer)

  const enter = (entry: number, type: BlobType, blob: Uint8Array) => {
    map.set(entry, writer.enter(type, blob))
    counters.add('files')
    counters.add('bytes', blob.length)
  }

  const copyData = (bytes: Uint8Array, entries: Uint32Array): BlobFault[] => {
    const open = unlessDamaged(() => openPack(bytes, source))
    if (typeof open === 'string') return Array.from(entries, (entry) => ({ entry, message: open }))
    const faults: BlobFault[] = []
    for (const entry of entries) {
      const blob = unlessDamaged(() => {
        const plain = reader.openEntry(open, entry)
        source.hasher.digest(blobType.data, plain, foundBytes, 0)
        source.table.idOf(entry, wanted)
        if (!found.every((word, n) => word === wanted[n]))
          throw damaged('a blob in it holds other bytes than its id says')
        return plain
      })
      if (typeof blob === 'string') faults.push({ entry, message: blob })
      else enter(entry, blobType.data, blob)
    }
    return faults
  }

  const copyStructure = async (rows: Uint32Array): Promise<BlobFault | undefined> => {
    for (let at = 0; at < rows.length; at += 2) {
      const entry = rows[at] as number
      const type = rows[at + 1] as BlobType
      source.table.idOf(entry, wanted)
      try {
        const blob = await reader.read(wanted, type)
        translator.translate(type, blob)
        enter(entry, type, blob)
      } catch (error) {
        if (!isBkpError(error, 'damaged')) throw error
        return { entry, message: error.message }
      }
    }
    return undefined
  }

  const fail = (error: unknown) => {
    // The main thread ends the run; its pool turns what is thrown here into the run's error.
    queueMicrotask(() => {
      throw error
    })
  }
  // One after the other: the open packs are this thread's only ones.
  let working: Promise<void> = Promise.resolve()
  const next = (work: () => void | Promise<void>) => {
    working = working.then(work).catch(fail)
  }
  const take = (message: ToCopyWorker): void => {
    if (message.kind === 'data') {
      const { load, bytes, entries } = message
      next(() => post({ kind: 'data-done', load, faults: copyData(bytes, entries) }))
    } else if (message.kind === 'structure') {
      const { rows } = message
      next(async () => post({ kind: 'structure-done', fault: await copyStructure(rows) }))
    } else if (message.kind === 'recycled') {
      if (message.memory.length === packCapacityBytes) spare.push(message.memory)
    } else if (message.kind === 'pack') {
      const waiting = fetches.get(message.pack)
      fetches.delete(message.pack)
      if (message.bytes === undefined) waiting?.reject(new BkpError('damaged', message.message))
      else waiting?.resolve(message.bytes)
    } else {
      next(() => {
        writer.flush()
        post({ kind: 'flushed' })
      })
    }
  }
  port.on('message', take)
  const takeMessages = (): void => {
    for (let received = receiveMessageOnPort(port); received !== undefined; received = receiveMessageOnPort(port))
      take(received.message as ToCopyWorker)
  }
}

async function partsOf({ repositoryId, keys, table, codecs }: CopySide, meter: Meter): Promise<BlobReaderParts> {
  const [loaded, hasher] = await allSettled([Codecs.load(codecs, meter.during), createKeyedHasher(keys.blobId)])
  return { table: ChunkTable.attach(table), codecs: loaded, hasher, keys, repositoryId }
}

/** The result, or what is damaged. */
function unlessDamaged<T>(action: () => T): T | string {
  try {
    return action()
  } catch (error) {
    if (!isBkpError(error, 'damaged')) throw error
    return error.message
  }
}
