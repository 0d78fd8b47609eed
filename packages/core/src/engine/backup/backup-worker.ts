import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import type { Logger, Source, SourceModule } from '@bkp/plugin-api'
import { createChunker } from '../../chunker/index.js'
import { BkpError } from '../../errors/index.js'
import { packCapacityBytes } from '../../format/pack.js'
import { gearTable } from '../../format/subkeys.js'
import { EntryEncoder } from '../../format/tree-writer.js'
import { createKeyedHasher } from '../../hash/keyed-hasher.js'
import { BlobReader } from '../../repository/blob-reader.js'
import { ChunkTable } from '../../repository/chunk-table.js'
import { Codecs } from '../../repository/codecs.js'
import { transferOf } from '../../transfer.js'
import { allSettled } from '../worker/all-settled.js'
import type { Meter } from '../worker/call-meter.js'
import type { WorkerStart } from '../worker/pool.js'
import { SharedState } from '../worker/shared-state.js'
import { BlobWriter } from './blob-writer.js'
import { scanDirectory } from './directory-scanner.js'
import { Excludes } from './excludes.js'
import { FileChunker } from './file-chunker.js'
import { FileSaver } from './file-saver.js'
import type { BackupSetup, BackupTask, BackupTaskResult, FromBackupWorker, ToBackupWorker } from './protocol.js'
import { type ReadAhead, withListings } from './read-ahead.js'
import { scanRoots } from './root-scanner.js'
import { saveFile } from './save-entry.js'
import type { Scan, ScanContext } from './scan-context.js'
import { ScanMemory } from './scan-memory.js'
import { watchedSource } from './watched-source.js'

/** Packs on their way to the storage, over all threads: bounds memory. */
const packsInFlight = 5
/** Memory of packs that a thread keeps to use again: one must not keep what all of them had on their way. */
const mostSpare = 2
const parentTreesBytes = 48 * 1024 * 1024
const currentEveryMs = 100
/** How long one thread scans alone where most is expected to be as it was. */
const warmAfterMs = 1_000

/** One thread of a backup: takes tasks, gives tasks away, hands over packs. */
export async function startBackupWorker(
  port: MessagePort,
  start: WorkerStart<BackupSetup>,
  { log, ahead, meter }: { readonly log: Logger; readonly ahead: ReadAhead; readonly meter: Meter },
): Promise<void> {
  const { setup, index } = start
  const shared = new SharedState(start.shared)
  const counters = shared.countersOf(index)
  const post = (message: FromBackupWorker, transfer: readonly ArrayBuffer[] = []) => port.postMessage(message, transfer)

  const [codecs, hasher, listingHasher, opened] = await allSettled([
    Codecs.load(setup.codecs, meter.during),
    createKeyedHasher(setup.keys.blobId),
    createKeyedHasher(setup.memory.key),
    openSource(setup.source, log, meter),
  ])
  const source = setup.useListings ? withListings(opened, ahead) : opened
  const parts = {
    table: ChunkTable.attach(setup.table),
    codecs,
    hasher,
    keys: setup.keys,
    repositoryId: setup.repositoryId,
  }
  const fetches = new Map<number, { resolve: (bytes: Uint8Array) => void; reject: (error: Error) => void }>()
  const fetchPack = (pack: number) =>
    new Promise<Uint8Array>((resolve, reject) => {
      fetches.set(pack, { resolve, reject })
      post({ kind: 'fetch', pack })
    })
  const compressionId = setup.codecs.compressions[setup.compression]?.id ?? 'none'
  const spare: Uint8Array[] = []
  const writer = new BlobWriter({
    ...parts,
    compression: { number: setup.compression, id: compressionId },
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
  const memory = new ScanMemory(setup.memory, listingHasher)
  const results = new Map<number, (result: BackupTaskResult) => void>()
  let lastTask = 0
  let lastCurrent = 0
  const scanStart = performance.now()
  const context: ScanContext = {
    options: setup,
    source,
    reader: new BlobReader(parts, fetchPack, parentTreesBytes),
    writer,
    saver: new FileSaver({
      chunker: new FileChunker(createChunker(gearTable(setup.keys.chunker))),
      writer,
      onBytes: (bytes) => counters.add('bytes', bytes),
    }),
    excludes: new Excludes(setup.excludes),
    counters,
    memory,
    shared,
    open: [],
    isWarm: () => setup.parentTimeSeconds === 0 || performance.now() - scanStart > warmAfterMs,
    offload: (work) =>
      new Promise((resolve) => {
        const task = ++lastTask
        results.set(task, resolve)
        post({ kind: 'offload', task, work })
      }),
    issue: (issue, path, message) => {
      counters.add('errors')
      post({ kind: 'issue', issue, path, message, isNote: false })
    },
    note: (issue, path, message) => post({ kind: 'issue', issue, path, message, isNote: true }),
    takeMessages: () => takeMessages(),
    current: (path) => {
      const now = Date.now()
      if (now - lastCurrent < currentEveryMs) return
      lastCurrent = now
      post({ kind: 'current', path })
    },
  }

  const fail = (error: unknown) => {
    // The main thread ends the run; its pool turns what is thrown here into the run's error.
    queueMicrotask(() => {
      throw error
    })
  }
  const run = async (task: number, work: BackupTask): Promise<void> => {
    const scan = await perform(context, work)
    if ('now' in scan) post({ kind: 'done', task, result: scan.now })
    else {
      post({ kind: 'suspended', task })
      scan.later.then((result) => post({ kind: 'done', task, result }), fail)
    }
  }
  // One after the other: the chunker's memory and the packs are this thread's only ones.
  let working: Promise<void> = Promise.resolve()
  const take = (message: ToBackupWorker): void => {
    if (message.kind === 'task') working = working.then(() => run(message.task, message.work)).catch(fail)
    else if (message.kind === 'result') {
      results.get(message.task)?.(message.result)
      results.delete(message.task)
    } else if (message.kind === 'recycled') {
      if (message.memory.length === packCapacityBytes && spare.length < mostSpare) spare.push(message.memory)
    } else if (message.kind === 'pack') {
      const waiting = fetches.get(message.pack)
      fetches.delete(message.pack)
      if (message.bytes === undefined) waiting?.reject(new BkpError('damaged', message.message))
      else waiting?.resolve(message.bytes)
    } else {
      working = working
        .then(async () => {
          writer.flush()
          await source.close()
          post({ kind: 'flushed', scans: memory.take() })
        })
        .catch(fail)
    }
  }
  port.on('message', take)
  const takeMessages = (): void => {
    for (let received = receiveMessageOnPort(port); received !== undefined; received = receiveMessageOnPort(port))
      take(received.message as ToBackupWorker)
  }
}

async function openSource(
  { url, configuration, plugin }: BackupSetup['source'],
  log: Logger,
  meter: Meter,
): Promise<Source> {
  const open = async () => {
    const { default: module } = (await import(url)) as { readonly default: SourceModule }
    return module.openSource({ configuration, log })
  }
  if (plugin === undefined) return open()
  return watchedSource(await meter.during(plugin, 'openSource', open), plugin, meter.during)
}

async function perform(context: ScanContext, work: BackupTask): Promise<Scan> {
  if (work.kind === 'root') return scanRoots(context, work.paths, work.parentTree)
  if (work.kind === 'directory') return scanDirectory(context, work.place, work.parentTree)
  const directory = await context.source.openDirectory(work.place.path)
  try {
    if (work.kind === 'range') {
      const { entry, range } = work
      return { now: await context.saver.saveRange(() => directory.openFile(entry, range)) }
    }
    const encoder = new EntryEncoder()
    for (const entry of work.entries) await saveFile(context, work.place, directory, entry, encoder)
    return { now: { kind: 'entries', entries: encoder.view().slice() } }
  } finally {
    await directory.close()
  }
}
