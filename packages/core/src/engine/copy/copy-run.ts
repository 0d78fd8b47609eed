import { snapshotKey, toHex, wordsOf } from '../../format/ids.js'
import { encodeSnapshot, rootTreeOf } from '../../format/snapshot.js'
import type { SnapshotPlugin } from '../../format/snapshot-plugins.js'
import { notFound } from '../../repository/chunk-table.js'
import type { StoredSnapshot } from '../../repository/snapshots.js'
import type { CopyFault, DestinationOutcome, SnapshotCopy, SnapshotCopyOptions } from '../api.js'
import type { Delivery, NamedObject } from '../backup/delivery.js'
import { TreeWalker } from '../browse/tree-walker.js'
import { recordPlugins } from '../plugin-records.js'
import { describeCopy, nearestCopied, type Origin, originAt, originOf } from './copied-snapshot.js'
import { type CopyPlan, CopyPlanner } from './copy-planner.js'
import { CopyThreads, type OpenSide } from './copy-threads.js'
import { described } from './described.js'
import { IdMap } from './id-map.js'
import { TwinWalk } from './twin-walk.js'

const structurePacksBytes = 96 * 1024 * 1024
const progressEveryMs = 100
// Snapshots wait that long, so that small ones share packs; an interrupted run loses no more than this.
const commitAfterBytes = 256 * 1024 * 1024
const commitAfterMs = 60_000

export interface CopyTotals {
  readonly blobsRead: number
  /** Uncompressed. */
  readonly bytesRead: number
  readonly newBlobs: number
  readonly newBytes: number
}

export interface CopyRunOptions extends SnapshotCopyOptions {
  readonly signal: AbortSignal
}

export interface CopyRunParts {
  readonly delivery: Delivery
  readonly stored: { readonly bytes: number }
  /** Snapshots of the source that the target has, the oldest first. */
  readonly known: readonly StoredSnapshot[]
  /** Origins of all snapshots of the source, by their id. */
  readonly origins: ReadonlyMap<string, Origin>
  /** Those of the target by their origin. */
  readonly copies: Map<Origin, StoredSnapshot>
}

/** Copies one snapshot after the other; remembers what was copied. */
export class CopyRun {
  readonly #source: OpenSide
  readonly #target: OpenSide
  readonly #options: CopyRunOptions
  readonly #parts: CopyRunParts
  readonly #map: IdMap
  readonly #planner: CopyPlanner
  readonly #twins: TwinWalk
  readonly #threads: CopyThreads | undefined
  readonly #timer: NodeJS.Timeout
  readonly #plugins: readonly SnapshotPlugin[]
  /** Snapshots of the source whose blobs are all in the map. */
  readonly #learned = new Set<string>()
  #waiting: NamedObject[] = []
  #committedBytes = 0
  #committedAt: number
  #refused = 0
  #plannedBlobs = 0
  #plannedBytes = 0

  static async create(
    source: OpenSide,
    target: OpenSide,
    options: CopyRunOptions,
    parts: CopyRunParts,
  ): Promise<CopyRun> {
    const cache = source.context.packCache(source.index.packs, structurePacksBytes)
    const threads = (map: IdMap) => {
      const { delivery } = parts
      const storePack = delivery.pack.bind(delivery)
      return new CopyThreads({ ...options, source, target, map, structurePacks: cache, storePack })
    }
    const walkers = await Promise.all([
      TreeWalker.create(source.context, source.index, cache),
      TreeWalker.create(target.context, target.index),
    ])
    return new CopyRun(source, target, options, parts, walkers, threads)
  }

  private constructor(
    source: OpenSide,
    target: OpenSide,
    options: CopyRunOptions,
    parts: CopyRunParts,
    [from, to]: readonly [TreeWalker, TreeWalker],
    startThreads: (map: IdMap) => CopyThreads,
  ) {
    this.#source = source
    this.#target = target
    this.#options = options
    this.#parts = parts
    this.#map = IdMap.create(source.index.table.count)
    this.#planner = new CopyPlanner(from, source.index, this.#map)
    this.#twins = new TwinWalk(
      { walker: from, table: source.index.table },
      { walker: to, table: target.index.table },
      this.#map,
    )
    this.#threads = options.dryRun ? undefined : startThreads(this.#map)
    this.#committedAt = target.context.now()
    // The same for all: what this run enters adds nothing to it.
    this.#plugins = recordPlugins(target.context.plugins, options, [...parts.copies.values()]).plugins ?? []
    this.#timer = setInterval(() => this.#report(), progressEveryMs)
  }

  totals(): CopyTotals {
    const totals = this.#threads?.totals()
    if (totals === undefined)
      return { blobsRead: this.#plannedBlobs, bytesRead: this.#plannedBytes, newBlobs: 0, newBytes: 0 }
    const { files, bytes, newBlobs, newBytes } = totals
    return { blobsRead: files, bytesRead: bytes, newBlobs, newBytes }
  }

  /** Copies a snapshot that the target does not have; it is there for certain after `finish`. */
  async copy(stored: StoredSnapshot): Promise<SnapshotCopy> {
    const { signal } = this.#options
    const root = rootTreeOf(stored.snapshot)
    await this.#learnFor(stored)
    const plan = await this.#planner.plan(root, signal)
    if (plan.faults.length > 0) return this.#refuse(stored, plan.faults)
    this.#plan(plan)
    if (this.#threads === undefined) return { ...described(stored), state: 'planned', faults: [] }
    const damages = await this.#threads.copyData(plan.data)
    for (const { entry, message } of damages) this.#planner.noteDamage(entry, message)
    // Once more, to tell which files are lost with what was found to be damaged.
    if (damages.length > 0) return this.#refuse(stored, (await this.#planner.plan(root, signal)).faults)
    const fault = await this.#threads.copyStructure(plan.structure)
    if (fault !== undefined) {
      this.#planner.noteDamage(fault.entry, fault.message)
      return this.#refuse(stored, (await this.#planner.plan(root, signal)).faults)
    }
    const targetId = this.#enter(stored, root)
    this.#report()
    await this.#commitWhenDue()
    return { ...described(stored), state: 'copied', targetId, faults: [] }
  }

  /** Stores what is still on its way. */
  finish(): Promise<readonly DestinationOutcome[]> {
    return this.#commit()
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#threads?.close()
  }

  /** What an earlier run copied is known again by comparing a snapshot with its copy. */
  async #learnFor(stored: StoredSnapshot): Promise<void> {
    const { known, copies } = this.#parts
    const nearest = nearestCopied(stored, known)
    if (nearest === undefined || this.#learned.has(nearest.id)) return
    // The parent may have been copied a moment ago.
    if (stored.snapshot.parent !== null && this.#learned.has(stored.snapshot.parent)) return
    this.#learned.add(nearest.id)
    const twin = copies.get(originOf(this.#source.context.repository.id, nearest))
    if (twin === undefined) return
    const roots = { source: rootTreeOf(nearest.snapshot), target: rootTreeOf(twin.snapshot) }
    await this.#twins.learn(roots, this.#options.signal)
  }

  #plan({ data, structure, bytes }: CopyPlan): void {
    this.#plannedBlobs += data.length + structure.length / 2
    this.#plannedBytes += bytes
    this.#options.onEvent?.({ kind: 'planned', totalFiles: this.#plannedBlobs, totalBytes: this.#plannedBytes })
    if (this.#threads !== undefined) return
    // A dry run counts each blob once, as if it had been copied.
    for (const entry of data) this.#map.set(entry, 0)
    for (let at = 0; at < structure.length; at += 2) this.#map.set(structure[at] as number, 0)
  }

  #refuse(stored: StoredSnapshot, faults: readonly CopyFault[]): SnapshotCopy {
    this.#refused++
    return { ...described(stored), state: 'damaged', faults }
  }

  /** @returns the id of the copy */
  #enter(stored: StoredSnapshot, root: Uint8Array): string {
    const { repository } = this.#source.context
    const { copies, origins } = this.#parts
    const { parent } = stored.snapshot
    const parentOrigin = parent === null ? undefined : (origins.get(parent) ?? originAt(repository.id, parent))
    const snapshot = describeCopy(stored, {
      repositoryId: repository.id,
      tree: this.#translateRoot(root),
      parent: (parentOrigin && copies.get(parentOrigin)?.id) ?? null,
      program: this.#options.program,
      plugins: this.#plugins,
    })
    const { name, bytes } = this.#target.context.seal('snapshot', encodeSnapshot(snapshot), this.#options.cipher)
    copies.set(originOf(repository.id, stored), { id: name, snapshot })
    this.#learned.add(stored.id)
    this.#waiting.push({ key: snapshotKey(name), bytes })
    return name
  }

  #translateRoot(root: Uint8Array): string[] {
    const words = wordsOf(root)
    const id = new Uint32Array(8)
    return Array.from({ length: words.length / 8 }, (_, n) => {
      const target = this.#map.targetOf(this.#source.index.table.find(words.subarray(n * 8, n * 8 + 8)))
      if (target === notFound) throw new RangeError('A tree of a root was not copied')
      this.#target.index.table.idOf(target, id)
      return toHex(new Uint8Array(id.buffer))
    })
  }

  async #commitWhenDue(): Promise<void> {
    const isLarge = this.#parts.stored.bytes - this.#committedBytes >= commitAfterBytes
    const isLate = this.#target.context.now() - this.#committedAt >= commitAfterMs
    if (isLarge || isLate) await this.#commit()
  }

  async #commit(): Promise<readonly DestinationOutcome[]> {
    const { delivery, stored } = this.#parts
    await this.#threads?.flush()
    await delivery.finishPacks()
    const outcomes = await delivery.commit(...this.#waiting.splice(0))
    this.#committedBytes = stored.bytes
    this.#committedAt = this.#target.context.now()
    return outcomes
  }

  #report(): void {
    const { blobsRead, bytesRead } = this.totals()
    this.#options.onEvent?.({
      kind: 'progress',
      filesDone: blobsRead,
      bytesDone: bytesRead,
      storedBytes: this.#parts.stored.bytes,
      errors: this.#refused,
    })
  }
}
