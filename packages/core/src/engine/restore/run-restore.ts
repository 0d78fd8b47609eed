import { randomBytes } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import type { SourceModule, Target } from '@bkp/plugin-api'
import { isPortError } from '@bkp/plugin-api'
import { BkpError } from '../../errors/index.js'
import { throwIfAborted } from '../abort.js'
import type { Issue, RestoreOptions, RestoreResult } from '../api.js'
import { TreeWalker, type WalkedEntry, type WalkRoot } from '../browse/tree-walker.js'
import type { OperationContext } from '../context.js'
import type { WorkerModule } from '../plugin-access.js'
import { targetEntryOf } from './entries.js'
import { RestorePlan } from './restore-plan.js'
import { RestoreThreads } from './restore-threads.js'
import { isCovered, Selection } from './selection.js'
import { TargetState, type Verdict } from './target-state.js'

/** Files and chunks of one batch: bounds what is planned at a time. */
const batchFiles = 8_000
const batchReferences = 100_000
/** Threads wait for the first batch only, so that it is a small one; each that follows is twice as large. */
const firstBatchFiles = 500
/** Entries that are walked over before messages of threads are looked at. */
const entriesInOneGo = 200

/** A directory whose metadata are set when all below it is done. */
interface OpenDirectory {
  readonly path: readonly Uint8Array[]
  readonly entry: ReturnType<typeof targetEntryOf>
}

/** Writes a snapshot, or a part of it, into a folder. */
export async function runRestore(context: OperationContext, options: RestoreOptions): Promise<RestoreResult> {
  const restore = new Restore(context, options)
  return restore.run()
}

class Restore {
  readonly #context: OperationContext
  readonly #options: RestoreOptions
  readonly #issues: Issue[] = []
  /** Names the temporary files of this run, in all threads. */
  readonly #runId = randomBytes(6).toString('hex')
  readonly #directories: OpenDirectory[] = []
  /** Ends when the threads have all of the latest batch. */
  #sending: Promise<void> = Promise.resolve()
  #batchFiles = firstBatchFiles
  readonly #links: { readonly path: readonly Uint8Array[]; readonly existing: readonly Uint8Array[] }[] = []
  readonly #linked = new Map<string, readonly Uint8Array[]>()
  readonly #selection: Selection
  readonly #counts = { directories: 0, others: 0, files: 0, skipped: 0, deleted: 0, bytes: 0 }
  /** Directories whose place is taken by something that stays. */
  readonly #blocked = new Set<string>()
  #state = new TargetState(undefined, 'always')

  constructor(context: OperationContext, options: RestoreOptions) {
    this.#context = context
    this.#options = options
    this.#selection = new Selection(options.include, options.exclude)
  }

  async run(): Promise<RestoreResult> {
    const { onEvent, signal } = this.#options
    const started = this.#context.now()
    onEvent?.({ kind: 'started', operation: 'restore' })
    const index = await this.#context.loadIndex(signal === undefined ? {} : { signal })
    const walker = await TreeWalker.create(this.#context, index)
    const root = await walker.start(this.#options.snapshotId, this.#options.path)
    const folder = await this.#openTarget()
    const target = this.#options.dryRun ? undefined : folder
    this.#state = new TargetState(folder, this.#options.overwrite)
    const threads =
      target === undefined
        ? undefined
        : await RestoreThreads.start(
            this.#context,
            index,
            this.#options,
            { ...this.#targetModule(), root: this.#options.target, runId: this.#runId },
            (issue) => this.#issue(issue.kind, issue.path, issue.message),
          )
    let totals = { verified: 0, damaged: 0 }
    let entries = 0
    try {
      let plan = new RestorePlan(walker, index.table, this.#context.threads)
      target?.makeDirectory([])
      this.#state.noteRoot()
      // A folder that is restored by its path lands in the target folder, with its own metadata.
      if (root.directory !== undefined) this.#directories.push({ path: [], entry: targetEntryOf(root.directory) })
      for await (const walked of walker.walk(root)) {
        throwIfAborted(signal)
        if (!this.#selection.wants(walked.path, walked.cursor.kind === 'directory')) continue
        if (this.#options.delete) this.#state.noteWanted(walked.path)
        if (!this.#isBlocked(walked)) await this.#take(walked, target, plan)
        if (plan.files >= this.#batchFiles || plan.references >= batchReferences)
          plan = await this.#startBatch(threads, plan)
        if (++entries % entriesInOneGo === 0) await setImmediate()
      }
      await this.#startBatch(threads, plan)
      await this.#sending
      if (threads !== undefined) this.#counts.files -= await threads.settle()
      for (const { path } of walker.damages) this.#state.noteIncomplete(path)
      if (this.#options.delete && root.self === undefined) this.#deleteSuperfluous(root, target)
      if (target !== undefined) {
        this.#finishTree(target)
        // What was there before is gone: from here on nobody else has it. Into an empty folder it can be done again.
        if (this.#options.fsync || this.#options.verify || !this.#state.wasEmpty) target.sync()
      }
      if (threads !== undefined) totals = threads.totals()
    } finally {
      await threads?.close()
      folder?.close()
    }
    const damaged = totals.damaged + walker.damages.length
    for (const damage of walker.damages) this.#issue('damaged', damage.path, damage.message)
    return {
      ...this.#counts,
      verified: totals.verified,
      damaged,
      issues: this.#issues,
      fallOvers: this.#context.fallOvers.list(),
      elapsedMs: this.#context.now() - started,
    }
  }

  async #take(walked: WalkedEntry, target: Target | undefined, plan: RestorePlan): Promise<void> {
    const { cursor, path } = walked
    if (cursor.kind === 'error') {
      this.#issue('unreadable', path, `was not backed up: ${cursor.error ?? 'it could not be read'}`)
    } else if (cursor.kind === 'directory') this.#takeDirectory(walked, target)
    else await this.#takeEntry(walked, target, plan)
  }

  #takeDirectory({ cursor, path }: WalkedEntry, target: Target | undefined): void {
    if (cursor.error !== undefined) {
      this.#issue('unreadable', path, `its content was not backed up: ${cursor.error}`)
      this.#state.noteIncomplete(path)
    }
    const there = this.#state.inspect(path)
    if (there?.kind === 'directory') this.#state.noteDirectory(path)
    else if (there !== undefined && this.#options.overwrite === 'never') {
      this.#counts.skipped++
      this.#blocked.add(keyOf(path))
      return
    }
    this.#counts.directories++
    if (target === undefined) return
    const hasBeenMade = this.#attempt(path, () => {
      if (there !== undefined && there.kind !== 'directory') target.remove(path)
      target.makeDirectory(path)
    })
    if (hasBeenMade) this.#directories.push({ path, entry: targetEntryOf(cursor) })
    else this.#blocked.add(keyOf(path))
  }

  /** Files, and what else is no directory: further names of one become links when all content is there. */
  async #takeEntry(walked: WalkedEntry, target: Target | undefined, plan: RestorePlan): Promise<void> {
    const { cursor, path } = walked
    if (cursor.error !== undefined) {
      this.#issue('unreadable', path, `its content was not backed up: ${cursor.error}`)
      return
    }
    if (cursor.changedWhileRead) this.#noteChanged(path)
    const { hardLink } = cursor
    const link = hardLink === undefined ? undefined : `${hardLink.device}:${cursor.inode}`
    const existing = link === undefined ? undefined : this.#linked.get(link)
    const verdict = this.#judge(walked, target)
    // Another name of a file that is right already may be a file of its own, and has to become a link.
    if (verdict === 'same' && existing !== undefined && this.#options.overwrite !== 'never') {
      this.#counts.skipped++
      this.#links.push({ path, existing })
      return
    }
    if (verdict !== 'write') {
      this.#counts.skipped++
      if (verdict === 'same' && link !== undefined && existing === undefined) this.#linked.set(link, path)
      return
    }
    this.#counts[cursor.kind === 'file' ? 'files' : 'others']++
    if (existing !== undefined) {
      this.#links.push({ path, existing })
      return
    }
    if (link !== undefined) this.#linked.set(link, path)
    if (cursor.kind === 'file') {
      this.#counts.bytes += cursor.sizeBytes
      if (target !== undefined) await plan.add(walked)
    } else if (target !== undefined) {
      this.#attempt(path, () => {
        for (const problem of target.makeSpecial(path, targetEntryOf(cursor))) this.#issue('not-kept', path, problem)
      })
    }
  }

  /** What is to be done with an entry that is no directory; makes way for it where that is allowed. */
  #judge({ cursor, path }: WalkedEntry, target: Target | undefined): Verdict {
    const there = this.#state.inspect(path)
    const verdict = this.#state.judge(there, cursor)
    if (verdict !== 'write' || there?.kind !== 'directory') return verdict
    if (!this.#options.delete && !this.#state.isEmptyDirectory(path)) {
      this.#issue('not-kept', path, 'not written: a folder that is not empty is in its place (--delete removes it)')
      return 'keep'
    }
    return target === undefined || this.#attempt(path, () => target.remove(path)) ? 'write' : 'keep'
  }

  #isBlocked({ path, cursor }: WalkedEntry): boolean {
    if (this.#blocked.size === 0 || !this.#blocked.has(keyOf(path.slice(0, -1)))) return false
    if (cursor.kind === 'directory') this.#blocked.add(keyOf(path))
    this.#counts.skipped++
    return true
  }

  /** The threads write one batch while the next is planned. */
  async #startBatch(threads: RestoreThreads | undefined, plan: RestorePlan): Promise<RestorePlan> {
    if (threads === undefined || plan.files + plan.lost.count === 0) return plan
    await this.#sending
    this.#sending = threads.send(plan)
    // Whoever waits for it next is told; until then it is nobody's.
    this.#sending.catch(() => undefined)
    this.#batchFiles = Math.min(2 * this.#batchFiles, batchFiles)
    return plan.next()
  }

  /** What has to wait for the files: links, superfluous entries, metadata of directories (the deepest first). */
  #finishTree(target: Target): void {
    for (const { path, existing } of this.#links) this.#attempt(path, () => target.makeHardLink(path, existing))
    for (const { path, entry } of this.#directories.reverse()) {
      this.#attempt(path, () => {
        for (const problem of target.finishDirectory(path, entry)) this.#issue('not-kept', path, problem)
      })
    }
  }

  #deleteSuperfluous(root: WalkRoot, target: Target | undefined): void {
    for (const path of this.#state.superfluous((directory) => isCovered(root, directory))) {
      if (!this.#selection.wants(path, false)) continue
      if (target === undefined || this.#attempt(path, () => target.remove(path))) this.#counts.deleted++
    }
  }

  #attempt(path: readonly Uint8Array[], action: () => void): boolean {
    try {
      action()
      return true
    } catch (error) {
      if (!isPortError(error) || error.code === 'quota') throw error
      this.#issue('unreadable', path, error.message)
      return false
    }
  }

  #issue(kind: Issue['kind'], path: readonly Uint8Array[], message: string): void {
    const bytes = Buffer.concat(path.flatMap((name) => [Buffer.from('/'), name]))
    const issue: Issue = { kind, path: { text: bytes.toString(), bytes }, message }
    this.#issues.push(issue)
    this.#options.onEvent?.({ kind: 'issue', issue })
  }

  // No issue: what the snapshot has comes back whole. Only whether that ever was the file's content nobody knows.
  #noteChanged(path: readonly Uint8Array[]): void {
    const message = `/${path.map((name) => Buffer.from(name).toString()).join('/')}: it changed while it was backed up; this is what was read`
    this.#options.onEvent?.({ kind: 'note', message })
  }

  #targetModule(): Pick<WorkerModule, 'url' | 'packageName'> {
    const module = this.#context.plugins.workerModule('source', 'fs')
    if (module === undefined) throw new BkpError('missing-plugin', 'Restoring to a folder needs the source plugin "fs"')
    const { url, packageName } = module
    return { url, packageName }
  }

  /** The folder to restore into; for a dry run the one that is there, if any. */
  async #openTarget(): Promise<Target | undefined> {
    const { target: root, dryRun } = this.#options
    const { url, packageName } = this.#targetModule()
    const module = ((await import(url)) as { default: SourceModule }).default
    const log = this.#context.plugins.logOf(packageName)
    if (module.openTarget === undefined) throw new BkpError('plugin-failed', `The plugin "${module.id}" cannot restore`)
    try {
      return await module.openTarget({ configuration: {}, log, root, runId: this.#runId, readOnly: dryRun })
    } catch (error) {
      if (dryRun && isPortError(error) && error.code === 'not-found') return undefined
      throw error
    }
  }
}

function keyOf(path: readonly Uint8Array[]): string {
  return path.map((name) => Buffer.from(name).toString('latin1')).join('/')
}
