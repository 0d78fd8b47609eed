import type { MessagePort } from 'node:worker_threads'
import { isPortError, type Logger, type SourceModule, type Target, type TargetFile } from '@bkp/plugin-api'
import { isBkpError } from '../../errors/index.js'
import { TreeCursor } from '../../format/tree-cursor.js'
import { treeHeaderBytes, treeMagic } from '../../format/tree-writer.js'
import { createKeyedHasher } from '../../hash/keyed-hasher.js'
import { BlobReader, type OpenPack, openPack } from '../../repository/blob-reader.js'
import { ChunkTable } from '../../repository/chunk-table.js'
import { Codecs } from '../../repository/codecs.js'
import { blobType } from '../backup/blob-writer.js'
import { allSettled } from '../worker/all-settled.js'
import type { Meter } from '../worker/call-meter.js'
import type { WorkerStart } from '../worker/pool.js'
import { SharedState, type WorkerCounters } from '../worker/shared-state.js'
import { positionInFile, splitPaths, targetEntryOf } from './entries.js'
import {
  type FileBatch,
  type FromRestoreWorker,
  type RestoreSetup,
  referenceWords,
  type ToRestoreWorker,
} from './protocol.js'

/** One thread of a restore: decodes the packs it is sent and writes the files it owns. */
export async function startRestoreWorker(
  port: MessagePort,
  start: WorkerStart<RestoreSetup>,
  { log, meter }: { readonly log: Logger; readonly meter: Meter },
): Promise<void> {
  const { setup } = start
  const module = ((await import(setup.target.url)) as { default: SourceModule }).default
  if (module.openTarget === undefined) throw new Error(`The source "${module.id}" cannot be restored to`)
  const [codecs, hasher, target] = await allSettled([
    Codecs.load(setup.codecs, meter.during),
    createKeyedHasher(setup.keys.blobId),
    module.openTarget({
      configuration: {},
      log,
      root: setup.target.root,
      runId: `${setup.target.runId}-${start.index}`,
    }),
  ])
  const table = ChunkTable.attach(setup.table)
  const parts = { table, codecs, hasher, keys: setup.keys, repositoryId: setup.repositoryId }
  const blobs = new BlobReader(parts, () => Promise.reject(new Error('A restoring thread fetches no packs')), 0)
  const counters = new SharedState(start.shared).countersOf(start.index)
  const post = (message: FromRestoreWorker) => port.postMessage(message)
  let files: FileWriter | undefined
  port.on('message', (message: ToRestoreWorker) => {
    if (message.kind === 'batch') files = new FileWriter(message.batch, target, counters, post)
    else if (message.kind === 'lost') files?.lose(message.references, message.message)
    else if (message.kind === 'pack') {
      const damaged = files?.write(message.references, message.bytes, (bytes) => openPack(bytes, parts), {
        table,
        read: (open, entry) => blobs.openEntry(open, entry),
        digest: (bytes, out) => hasher.digest(blobType.data, bytes, out, 0),
      })
      if (damaged !== undefined && damaged.references.length > 0) {
        if (message.mayAskAgain) post({ kind: 'again', load: message.load, references: damaged.references })
        else files?.lose(damaged.references, damaged.message)
      }
      post({ kind: 'packDone', load: message.load })
    } else if (message.kind === 'close') {
      try {
        target.close()
      } finally {
        post({ kind: 'closed' })
      }
    } else {
      const failed = files?.end(message.verify, table, (bytes, out) => hasher.digest(blobType.data, bytes, out, 0)) ?? 0
      post({ kind: 'ended', failed })
    }
  })
}

interface Decoder {
  readonly table: ChunkTable
  readonly read: (open: OpenPack, entry: number) => Uint8Array
  readonly digest: (bytes: Uint8Array, out: Uint8Array) => void
}

const stateWaiting = 0
const stateOpen = 1
const stateDone = 2
const stateFailed = 3

/** Writes the files of one batch as their blobs come, and settles each when its last blob is there. */
class FileWriter {
  readonly #batch: FileBatch
  readonly #target: Target
  readonly #counters: WorkerCounters
  readonly #post: (message: FromRestoreWorker) => void
  readonly #directories: readonly (readonly Uint8Array[])[]
  readonly #starts: Uint32Array
  readonly #state: Uint8Array
  readonly #left: Uint32Array
  readonly #handles = new Map<number, TargetFile>()
  readonly #received: Uint32Array[] = []
  readonly #found = new Uint32Array(8)
  readonly #wanted = new Uint32Array(8)

  constructor(batch: FileBatch, target: Target, counters: WorkerCounters, post: (message: FromRestoreWorker) => void) {
    this.#batch = batch
    this.#target = target
    this.#counters = counters
    this.#post = post
    this.#directories = splitPaths(batch.directories)
    this.#left = batch.files.filter((_, at) => at % 2 === 1)
    this.#state = new Uint8Array(this.#left.length)
    this.#starts = new Uint32Array(this.#left.length)
    const view = new DataView(batch.entries.buffer, batch.entries.byteOffset, batch.entries.length)
    let at = 0
    for (let file = 0; file < this.#starts.length; file++) {
      this.#starts[file] = at
      at += 4 + view.getUint32(at, true)
    }
    for (let file = 0; file < this.#left.length; file++)
      if (this.#left[file] === 0) this.#guard(file, () => this.#commit(file))
  }

  /** @returns the references whose blobs are damaged; nothing is written for them */
  write(
    references: Uint32Array,
    bytes: Uint8Array,
    open: (bytes: Uint8Array) => OpenPack,
    decoder: Decoder,
  ): { readonly references: Uint32Array; readonly message: string } {
    this.#received.push(references)
    let pack: OpenPack
    try {
      pack = open(bytes)
    } catch (error) {
      if (!isDamage(error)) throw error
      return { references, message: error.message }
    }
    const damaged: number[] = []
    let lastEntry = -1
    let blob: Uint8Array | undefined
    for (let at = 0; at < references.length; at += referenceWords) {
      const entry = references[at] as number
      const file = references[at + 1] as number
      if (entry !== lastEntry) {
        blob = this.#decode(pack, entry, decoder)
        lastEntry = entry
      }
      if (this.#state[file] === stateFailed) continue
      const data = blob
      if (data === undefined) damaged.push(...references.subarray(at, at + referenceWords))
      else {
        const position = (references[at + 2] as number) + (references[at + 3] as number) * 2 ** 32
        this.#guard(file, () => this.#place(file, data, position))
      }
    }
    return { references: Uint32Array.from(damaged), message: 'part of its content is damaged in the repository' }
  }

  lose(references: Uint32Array, message: string): void {
    for (let at = 0; at < references.length; at += referenceWords)
      this.#fail(references[at + 1] as number, 'damaged', message)
  }

  /**
   * Settles what is left; with `verify`, reads every written byte back.
   * @returns how many files were not written
   */
  end(verify: boolean, table: ChunkTable, digest: Decoder['digest']): number {
    if (verify) this.#verify(table, digest)
    let failed = 0
    for (let file = 0; file < this.#state.length; file++) {
      if (this.#state[file] === stateOpen || this.#state[file] === stateWaiting)
        this.#fail(file, 'damaged', 'part of its content is missing')
      if (this.#state[file] === stateFailed) failed++
    }
    return failed
  }

  #decode(pack: OpenPack, entry: number, decoder: Decoder): Uint8Array | undefined {
    try {
      const blob = decoder.read(pack, entry)
      decoder.digest(blob, new Uint8Array(this.#found.buffer))
      decoder.table.idOf(entry, this.#wanted)
      return this.#found.every((word, n) => word === this.#wanted[n]) ? blob : undefined
    } catch (error) {
      if (isDamage(error)) return undefined
      throw error
    }
  }

  #place(file: number, data: Uint8Array, position: number): void {
    const cursor = this.#entry(file)
    if (this.#state[file] === stateWaiting) {
      this.#handles.set(file, this.#target.beginFile(this.#path(file, cursor), cursor.sizeBytes))
      this.#state[file] = stateOpen
    }
    const handle = this.#handles.get(file) as TargetFile
    const { extents } = cursor
    if (extents === undefined) this.#target.write(handle, data, position)
    else {
      for (let done = 0; done < data.length; ) {
        const place = positionInFile(extents, position + done)
        const length = Math.min(place.length, data.length - done)
        this.#target.write(handle, data.subarray(done, done + length), place.offset)
        done += length
      }
    }
    this.#counters.add('bytes', data.length)
    this.#left[file] = (this.#left[file] as number) - 1
    if (this.#left[file] === 0) this.#commit(file, cursor)
  }

  #commit(file: number, cursor = this.#entry(file)): void {
    const handle = this.#handles.get(file) ?? this.#target.beginFile(this.#path(file, cursor), cursor.sizeBytes)
    this.#handles.delete(file)
    for (const problem of this.#target.commitFile(handle, targetEntryOf(cursor))) {
      this.#post({ kind: 'issue', issue: 'not-kept', file, message: problem })
    }
    this.#state[file] = stateDone
    this.#counters.add('files')
  }

  #verify(table: ChunkTable, digest: Decoder['digest']): void {
    for (const references of this.#received) {
      for (let at = 0; at < references.length; at += referenceWords) {
        const entry = references[at] as number
        const file = references[at + 1] as number
        if (this.#state[file] !== stateDone) continue
        const cursor = this.#entry(file)
        const { extents } = cursor
        const position = (references[at + 2] as number) + (references[at + 3] as number) * 2 ** 32
        const data = new Uint8Array(table.plainLengthOf(entry))
        for (let done = 0; done < data.length; ) {
          const place =
            extents === undefined
              ? { offset: position + done, length: data.length - done }
              : positionInFile(extents, position + done)
          const length = Math.min(place.length, data.length - done)
          const count = this.#target.readAt(this.#path(file, cursor), data.subarray(done, done + length), place.offset)
          if (count === 0) break
          done += count
        }
        digest(data, new Uint8Array(this.#found.buffer))
        table.idOf(entry, this.#wanted)
        if (!this.#found.every((word, n) => word === this.#wanted[n])) {
          this.#fail(
            file,
            'damaged',
            'reading it back gives other bytes than were written: the target disk may be failing',
          )
        }
      }
    }
    for (const state of this.#state) if (state === stateDone) this.#counters.add('verified')
  }

  /** An error of one file is that file's; a full or read-only disk ends the run. */
  #guard(file: number, action: () => void): void {
    try {
      action()
    } catch (error) {
      if (!isPortError(error) || error.code === 'quota') throw error
      this.#fail(file, 'unreadable', error.message)
    }
  }

  #fail(file: number, issue: 'damaged' | 'unreadable', message: string): void {
    if (this.#state[file] === stateFailed) return
    this.#state[file] = stateFailed
    const handle = this.#handles.get(file)
    this.#handles.delete(file)
    if (handle !== undefined) this.#target.abortFile(handle)
    if (issue === 'damaged') this.#counters.add('damaged')
    this.#counters.add('errors')
    this.#post({ kind: 'issue', issue, file, message })
  }

  #path(file: number, cursor: TreeCursor): readonly Uint8Array[] {
    const directory = this.#directories[this.#batch.files[2 * file] as number] as readonly Uint8Array[]
    return [...directory, cursor.name]
  }

  #entry(file: number): TreeCursor {
    const start = this.#starts[file] as number
    const { entries } = this.#batch
    const length = 4 + new DataView(entries.buffer, entries.byteOffset + start, 4).getUint32(0, true)
    const tree = new Uint8Array(treeHeaderBytes + length)
    const view = new DataView(tree.buffer)
    view.setUint32(0, treeMagic, true)
    view.setUint32(4, 1, true)
    tree.set(entries.subarray(start, start + length), treeHeaderBytes)
    const cursor = new TreeCursor(tree)
    cursor.next()
    return cursor
  }
}

function isDamage(error: unknown): error is Error {
  return isBkpError(error, 'damaged')
}
