import { BkpError } from '../../errors/index.js'
import { toHex } from '../../format/ids.js'
import { mayBeUsedAgain } from '../../memory-in-doubt.js'
import type { ForeignPlugin } from '../../repository/codecs.js'
import { transferOf } from '../../transfer.js'
import { abortError } from '../abort.js'
import type { BackupStats, EngineEvent, Issue } from '../api.js'
import { type PoolParts, WorkerPool } from '../worker/pool.js'
import type { FilledPack } from './pack-store.js'
import type { BackupSetup, BackupTask, FromBackupWorker, ToBackupWorker } from './protocol.js'
import { TaskQueue } from './task-queue.js'

const progressEveryMs = 100

export interface ScanOptions extends PoolParts {
  readonly threads: number
  /** Plugins that did not come with bkp and run in the threads. */
  readonly foreign: readonly ForeignPlugin[]
  /** The package of the source. */
  readonly speaker: string
  readonly setup: BackupSetup
  readonly root: BackupTask
  readonly fetchPack: (pack: number) => Promise<Uint8Array>
  readonly storePack: (pack: FilledPack) => Promise<void>
  readonly storedBytes: () => number
  readonly planned: { readonly files: number; readonly bytes: number } | undefined
  readonly onEvent: ((event: EngineEvent) => void) | undefined
  readonly signal: AbortSignal | undefined
  /** Filled as issues come. */
  readonly issues: Issue[]
}

export interface Scanned {
  /** Hex ids of the root's tree blobs; empty when nothing could be read. */
  readonly tree: readonly string[]
  readonly stats: Omit<BackupStats, 'storedBytes'>
  /** What the threads remember of the directories. */
  readonly scans: readonly Uint8Array[]
}

/** Runs the worker threads over all paths until every pack that they filled is stored. */
export async function scanInThreads(options: ScanOptions): Promise<Scanned> {
  const { issues, onEvent } = options
  let fail: (error: unknown) => void = () => undefined
  const failure = new Promise<never>((_, reject) => (fail = reject))
  failure.catch(() => undefined)
  const pending = new Set<Promise<void>>()
  const scans: Uint8Array[] = []
  const quiet = () => undefined
  const notes = { debug: quiet, info: quiet, warn: (message: string) => onEvent?.({ kind: 'note', message }) }
  let flushed = 0
  let allFlushed: () => void = () => undefined
  let current: string | undefined

  const pool = new WorkerPool<BackupSetup, ToBackupWorker, FromBackupWorker>({
    role: 'backup',
    reserve: options.reserve,
    callLimitMs: options.callLimitMs,
    threads: options.threads,
    onDemand: true,
    foreign: options.foreign,
    setup: options.setup,
    onFailure: fail,
    speaker: options.speaker,
    logOf: (packageName) => options.logOf(packageName, notes),
    onMessage: (thread, message) => {
      if (message.kind === 'offload') queue.add(thread, message.task, message.work)
      else if (message.kind === 'done') queue.done(message.task, message.result)
      else if (message.kind === 'suspended') queue.suspend(message.task)
      else if (message.kind === 'stored') store(thread, { ...message, kind: message.packKind })
      else if (message.kind === 'fetch') void fetch(thread, message.pack)
      else if (message.kind === 'current') current = Buffer.from(message.path).toString()
      else if (message.kind === 'flushed') {
        scans.push(message.scans)
        if (++flushed === pool.started) allFlushed()
      } else {
        const issue: Issue = {
          kind: message.issue,
          path: { text: Buffer.from(message.path).toString(), bytes: message.path },
          message: message.message,
        }
        if (message.isNote) onEvent?.({ kind: 'note', message: `${issue.path.text}: ${issue.message}` })
        else {
          issues.push(issue)
          onEvent?.({ kind: 'issue', issue })
        }
      }
    },
  })
  const queue = new TaskQueue({
    threads: options.threads,
    shared: pool.shared,
    assign: (thread, task, work) => pool.send(thread, { kind: 'task', task, work }),
    deliver: (thread, task, result) => pool.send(thread, { kind: 'result', task, result }),
  })
  const store = (thread: number, pack: FilledPack) => {
    const storing: Promise<void> = options.storePack(pack).then(() => {
      pool.shared.leavePack()
      const memory = new Uint8Array(pack.bytes.buffer)
      if (mayBeUsedAgain(memory.buffer)) pool.send(thread, { kind: 'recycled', memory }, transferOf(memory))
      pending.delete(storing)
    })
    pending.add(storing)
    storing.catch(fail)
  }
  const fetch = async (thread: number, pack: number) => {
    try {
      pool.send(thread, { kind: 'pack', pack, bytes: await options.fetchPack(pack), message: '' })
    } catch (error) {
      pool.send(thread, {
        kind: 'pack',
        pack,
        bytes: undefined,
        message: error instanceof Error ? error.message : String(error),
      })
    }
  }
  const onAbort = () => fail(abortError(options.signal))
  options.signal?.addEventListener('abort', onAbort, { once: true })
  if (options.signal?.aborted) onAbort()
  if (options.planned !== undefined) {
    onEvent?.({ kind: 'planned', totalFiles: options.planned.files, totalBytes: options.planned.bytes })
  }
  const report = () => {
    const { files, bytes, errors } = pool.shared.totals()
    onEvent?.({
      kind: 'progress',
      filesDone: files,
      bytesDone: bytes,
      storedBytes: options.storedBytes(),
      errors,
      ...(current === undefined ? {} : { current }),
    })
  }
  const timer = setInterval(report, progressEveryMs)
  try {
    const result = await Promise.race([queue.run(options.root), failure])
    if (result.kind !== 'tree')
      throw new BkpError('source-unreadable', result.kind === 'unreadable' ? result.message : 'The scan gave no tree')
    const flushing = new Promise<void>((resolve) => (allFlushed = resolve))
    pool.broadcast({ kind: 'flush' })
    await Promise.race([flushing, failure])
    await Promise.race([Promise.all(pending), failure])
    const { files, directories, others, bytes, filesNew, filesChanged, filesUnchanged, newBlobs, newBytes, errors } =
      pool.shared.totals()
    report()
    const tree: string[] = []
    for (let at = 0; at < result.ids.length; at += 32) tree.push(toHex(result.ids.subarray(at, at + 32)))
    const isNothing = files + directories + others === 0
    return {
      tree: isNothing ? [] : tree,
      stats: { files, directories, others, bytes, filesNew, filesChanged, filesUnchanged, newBlobs, newBytes, errors },
      scans,
    }
  } finally {
    clearInterval(timer)
    options.signal?.removeEventListener('abort', onAbort)
    await pool.close()
  }
}
