import { randomBytes } from 'node:crypto'
import type { Logger, SourceModule, Target } from '@bkp/plugin-api'
import { isPortError } from '@bkp/plugin-api'
import { BkpError } from '../../errors/index.js'
import { throwIfAborted } from '../abort.js'
import type { Issue, RestoreOptions, RestoreResult } from '../api.js'
import { TreeWalker, type WalkedEntry } from '../browse/tree-walker.js'
import type { OperationContext } from '../context.js'
import { targetEntryOf } from './entries.js'
import { RestorePlan } from './restore-plan.js'
import { RestoreThreads } from './restore-threads.js'
import { Selection } from './selection.js'

/** Files and bytes of one batch: bounds what is planned at a time. */
const batchFiles = 50_000
const batchReferences = 200_000

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
  readonly #links: { readonly path: readonly Uint8Array[]; readonly existing: readonly Uint8Array[] }[] = []
  readonly #linked = new Map<string, readonly Uint8Array[]>()
  readonly #selection: Selection
  readonly #counts = { directories: 0, others: 0, files: 0, skipped: 0, deleted: 0, bytes: 0 }
  /** With `delete`: every path of the snapshot inside of directories that were there before. */
  readonly #kept = new Set<string>()
  /** Directories that were there before, so that what is in them must be looked at. */
  readonly #present = new Set<string>()

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
    const target = this.#options.dryRun ? undefined : await this.#openTarget()
    const threads =
      target === undefined
        ? undefined
        : await RestoreThreads.start(this.#context, index, this.#options, {
            url: this.#targetModule(),
            root: this.#options.target,
            runId: this.#runId,
          })
    let totals = { verified: 0, damaged: 0 }
    try {
      const plan = new RestorePlan(walker, index.table, this.#context.threads)
      if (target !== undefined) {
        target.makeDirectory([])
        if (root.self === undefined) this.#notePresent(target, [])
      }
      // A folder that is restored by its path lands in the target folder, with its own metadata.
      if (root.directory !== undefined) this.#directories.push({ path: [], entry: targetEntryOf(root.directory) })
      for await (const walked of walker.walk(root)) {
        throwIfAborted(signal)
        if (!this.#selection.wants(walked.path, walked.cursor.kind === 'directory')) continue
        if (this.#options.delete && this.#isPresent(walked.path.slice(0, -1))) this.#kept.add(keyOf(walked.path))
        await this.#take(walked, target, plan)
        if (plan.files >= batchFiles || plan.references >= batchReferences) await this.#finishBatch(threads, plan)
      }
      await this.#finishBatch(threads, plan)
      if (target !== undefined) this.#finishTree(target)
      if (threads !== undefined) totals = threads.totals()
    } finally {
      await threads?.close()
      target?.close()
    }
    const damaged = totals.damaged + walker.damages.length
    for (const damage of walker.damages) this.#issue('damaged', damage.path, damage.message)
    return {
      ...this.#counts,
      verified: totals.verified,
      damaged,
      issues: this.#issues,
      elapsedMs: this.#context.now() - started,
    }
  }

  async #take(walked: WalkedEntry, target: Target | undefined, plan: RestorePlan): Promise<void> {
    const { cursor, path } = walked
    if (cursor.kind === 'error') {
      this.#issue('unreadable', path, `was not backed up: ${cursor.error ?? 'it could not be read'}`)
    } else if (cursor.kind === 'directory') this.#takeDirectory(walked, target)
    else if (cursor.kind === 'file') await this.#takeFile(walked, target, plan)
    else {
      const existing = this.#firstNameOf(walked)
      if (target !== undefined && !this.#mayWrite(walked, target)) return
      this.#counts.others++
      if (target === undefined) return
      if (existing !== undefined) this.#links.push({ path, existing })
      else
        this.#attempt(path, () => {
          for (const problem of target.makeSpecial(path, targetEntryOf(cursor))) this.#issue('not-kept', path, problem)
        })
    }
  }

  #takeDirectory({ cursor, path }: WalkedEntry, target: Target | undefined): void {
    this.#counts.directories++
    if (cursor.error !== undefined) this.#issue('unreadable', path, `its content was not backed up: ${cursor.error}`)
    if (target === undefined) return
    this.#attempt(path, () => {
      const there = this.#isPresent(path.slice(0, -1)) ? target.inspect(path) : undefined
      if (there !== undefined && there.kind !== 'directory') target.remove(path)
      target.makeDirectory(path)
      if (there?.kind === 'directory') this.#notePresent(target, path)
    })
    this.#directories.push({ path, entry: targetEntryOf(cursor) })
  }

  async #takeFile(walked: WalkedEntry, target: Target | undefined, plan: RestorePlan): Promise<void> {
    const { cursor, path } = walked
    if (cursor.error !== undefined) {
      this.#issue('unreadable', path, `its content was not backed up: ${cursor.error}`)
      return
    }
    const existing = this.#firstNameOf(walked)
    if (target !== undefined && !this.#mayWrite(walked, target)) return
    this.#counts.files++
    if (existing !== undefined) {
      this.#links.push({ path, existing })
      return
    }
    this.#counts.bytes += cursor.sizeBytes
    if (target !== undefined) await plan.add(walked)
  }

  /** Further names of an entry become links of its first, once all content is written: undefined for the first. */
  #firstNameOf({ cursor, path }: WalkedEntry): readonly Uint8Array[] | undefined {
    const { hardLink, inode } = cursor
    if (hardLink === undefined) return undefined
    const key = `${hardLink.device}:${inode}`
    const existing = this.#linked.get(key)
    if (existing === undefined) this.#linked.set(key, path)
    return existing
  }

  /** Whether the overwrite mode lets us put an entry where something may be. */
  #mayWrite({ cursor, path }: WalkedEntry, target: Target): boolean {
    if (!this.#isPresent(path.slice(0, -1))) return true
    const there = target.inspect(path)
    if (there === undefined) return true
    const isSame =
      there.kind === cursor.kind &&
      there.sizeBytes === cursor.sizeBytes &&
      there.mtimeSeconds === cursor.mtimeSeconds &&
      there.mtimeNanoseconds === cursor.mtimeNanoseconds
    if (this.#options.overwrite === 'never' || (this.#options.overwrite === 'if-changed' && isSame)) {
      this.#counts.skipped++
      return false
    }
    if (there.kind === 'directory') return this.#attempt(path, () => target.remove(path))
    return true
  }

  async #finishBatch(threads: RestoreThreads | undefined, plan: RestorePlan): Promise<void> {
    if (threads === undefined || plan.files === 0) return
    const { failed, issues } = await threads.run(plan)
    for (const issue of issues) this.#issue(issue.kind, issue.path, issue.message)
    this.#counts.files -= failed
    plan.clear()
  }

  /** What has to wait for the files: links, superfluous entries, metadata of directories (the deepest first). */
  #finishTree(target: Target): void {
    for (const { path, existing } of this.#links) this.#attempt(path, () => target.makeHardLink(path, existing))
    if (this.#options.delete) this.#deleteSuperfluous(target)
    for (const { path, entry } of this.#directories.reverse()) {
      this.#attempt(path, () => {
        for (const problem of target.finishDirectory(path, entry)) this.#issue('not-kept', path, problem)
      })
    }
    target.sync()
  }

  #deleteSuperfluous(target: Target): void {
    for (const key of this.#present) {
      const directory = key === '' ? [] : key.split('/').map((name) => new Uint8Array(Buffer.from(name, 'latin1')))
      for (const name of target.list(directory)) {
        const path = [...directory, name]
        if (this.#kept.has(keyOf(path)) || !this.#selection.wants(path, false)) continue
        if (this.#attempt(path, () => target.remove(path))) this.#counts.deleted++
      }
    }
  }

  #isPresent(path: readonly Uint8Array[]): boolean {
    return this.#present.has(keyOf(path))
  }

  #notePresent(target: Target, path: readonly Uint8Array[]): void {
    if (path.length === 0 && target.list([]).length === 0) return
    this.#present.add(keyOf(path))
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

  #targetModule(): string {
    const url = this.#context.plugins.moduleUrl('source', 'fs')
    if (url === undefined) throw new BkpError('missing-plugin', 'Restoring to a folder needs the source plugin "fs"')
    return url
  }

  async #openTarget(): Promise<Target> {
    const module = ((await import(this.#targetModule())) as { default: SourceModule }).default
    if (module.openTarget === undefined) throw new BkpError('plugin-failed', `The plugin "${module.id}" cannot restore`)
    return module.openTarget({ configuration: {}, log: silent, root: this.#options.target, runId: this.#runId })
  }
}

const silent: Logger = { debug: () => undefined, info: () => undefined, warn: () => undefined }

function keyOf(path: readonly Uint8Array[]): string {
  return path.map((name) => Buffer.from(name).toString('latin1')).join('/')
}
