import { randomInt } from 'node:crypto'
import { isPortError } from '@bkp/plugin-api'
import { isBkpError } from '../../errors/index.js'
import { packKey, parseObjectKey, snapshotKey } from '../../format/ids.js'
import type { BrokenObject, RepositoryIndex } from '../../repository/repository-index.js'
import { loadSnapshots } from '../../repository/snapshots.js'
import { throwIfAborted } from '../abort.js'
import type { CheckOptions, CheckResult, Damage, RawPath } from '../api.js'
import { TreeWalker } from '../browse/tree-walker.js'
import type { OperationContext } from '../context.js'
import { readPacksInThreads } from './read-packs.js'

const maxAffected = 100

/** Verifies that every snapshot can be restored: structure always, data as far as asked. Changes nothing. */
export async function runCheck(context: OperationContext, options: CheckOptions): Promise<CheckResult> {
  const started = context.now()
  options.onEvent?.({ kind: 'started', operation: 'check' })
  const damages = new Damages()
  const index = await context.loadIndex(options.signal === undefined ? {} : { signal: options.signal })
  damages.addBroken(index.broken)
  const stored = await listPacks(context)
  for (let pack = 0; pack < index.packs.count; pack++) {
    const name = index.packs.nameOf(pack)
    const size = stored.get(name)
    if (size === undefined) damages.add(packKey(name), 'the index names this pack, and it is not there')
    else if (size !== index.packs.sizeOf(pack))
      damages.add(packKey(name), `it has ${size} bytes instead of ${index.packs.sizeOf(pack)}`)
  }
  const bad = new Uint8Array(index.table.count)
  markPacks(index, bad, (pack) => damages.has(packKey(index.packs.nameOf(pack))))

  const wanted = choosePacks(index, options.readDataShare, (pack) => stored.has(index.packs.nameOf(pack)))
  const read = await readPacksInThreads(context, index, wanted, options)
  for (const { pack, faults, badEntries, isUnreadable } of read.faulty) {
    for (const fault of faults) damages.add(packKey(index.packs.nameOf(pack)), fault)
    for (const entry of badEntries) bad[entry] = 1
    if (isUnreadable) markPacks(index, bad, (number) => number === pack)
  }

  const used = new Uint8Array(index.packs.count)
  const snapshots = await walkSnapshots(context, index, bad, used, damages, options)
  return {
    snapshots,
    packs: index.packs.count,
    packsRead: wanted.length,
    blobs: index.table.count,
    bytesRead: read.bytes,
    damages: damages.list(),
    unreferencedPacks:
      [...stored.keys()].filter((name) => !index.packs.has(name)).length + used.filter((flag) => flag === 0).length,
    elapsedMs: context.now() - started,
  }
}

/** Damages by object, each with its reasons and what is lost with it. */
class Damages {
  readonly #found = new Map<string, { messages: string[]; affects: Map<string, RawPath> }>()

  has(key: string): boolean {
    return this.#found.has(key)
  }

  add(key: string, message: string, path?: RawPath): void {
    const damage = this.#found.get(key) ?? { messages: [], affects: new Map<string, RawPath>() }
    if (!damage.messages.includes(message)) damage.messages.push(message)
    if (path !== undefined && damage.affects.size < maxAffected) damage.affects.set(path.text, path)
    this.#found.set(key, damage)
  }

  addBroken(broken: readonly BrokenObject[]): void {
    for (const { key, error } of broken) this.add(key, error.message)
  }

  /** Adds a path to the damage of an object, which may have been found by now or not. */
  affect(key: string, message: string, path: RawPath): void {
    const known = this.#found.get(key)
    this.add(key, known?.messages[0] ?? message, path)
  }

  list(): Damage[] {
    return [...this.#found].map(([key, { messages, affects }]) => ({
      key,
      message: messages.join('; '),
      affects: [...affects.values()],
    }))
  }
}

async function listPacks(context: OperationContext): Promise<Map<string, number>> {
  const stored = new Map<string, number>()
  for await (const { key, sizeBytes } of context.storage.list('packs/')) {
    const name = parseObjectKey(key)?.name
    if (name !== undefined) stored.set(name, sizeBytes)
  }
  return stored
}

function markPacks(index: RepositoryIndex, bad: Uint8Array, isBad: (pack: number) => boolean): void {
  const packs = Uint8Array.from({ length: index.packs.count }, (_, pack) => (isBad(pack) ? 1 : 0))
  if (!packs.includes(1)) return
  for (let entry = 0; entry < index.table.count; entry++) {
    const pack = index.table.packOf(entry)
    if (pack >= 0 && packs[pack] === 1) bad[entry] = 1
  }
}

/** A share of the packs at random, so that many partial checks come to cover all. */
function choosePacks(index: RepositoryIndex, share: number, isThere: (pack: number) => boolean): number[] {
  const packs = Array.from({ length: index.packs.count }, (_, pack) => pack).filter(isThere)
  if (share >= 1) return packs
  const count = Math.ceil(packs.length * share)
  for (let n = 0; n < count; n++) {
    const other = randomInt(n, packs.length)
    ;[packs[n], packs[other]] = [packs[other] as number, packs[n] as number]
  }
  return packs.slice(0, count).sort((a, b) => a - b)
}

async function walkSnapshots(
  context: OperationContext,
  index: RepositoryIndex,
  bad: Uint8Array,
  used: Uint8Array,
  damages: Damages,
  options: CheckOptions,
): Promise<number> {
  const broken: BrokenObject[] = []
  const snapshots = await loadSnapshots(context.repository, context.cipherFor, broken)
  damages.addBroken(broken)
  const walker = await TreeWalker.create(context, index)
  /** 1 for trees that were walked: snapshots share most of theirs. */
  const walked = new Uint8Array(index.table.count)
  const words = new Uint32Array(8)
  const bytes = new Uint8Array(words.buffer)
  const visit = (id: Uint8Array, path: RawPath, snapshotId: string): number => {
    bytes.set(id)
    const entry = index.table.find(words)
    const pack = entry < 0 ? -1 : index.table.packOf(entry)
    if (pack < 0)
      damages.add(
        snapshotKey(snapshotId),
        `needs blob ${Buffer.from(id).toString('hex').slice(0, 16)}…, which the index does not have`,
        path,
      )
    else {
      used[pack] = 1
      if (bad[entry] === 1) damages.affect(packKey(index.packs.nameOf(pack)), 'a blob in it is damaged', path)
    }
    return pack < 0 || bad[entry] === 1 ? -1 : entry
  }
  for (const { id, snapshot } of snapshots) {
    throwIfAborted(options.signal)
    const stack: { readonly ids: Uint8Array; readonly path: Uint8Array }[] = []
    stack.push({ ids: Buffer.concat(snapshot.tree.map((tree) => Buffer.from(tree, 'hex'))), path: new Uint8Array(0) })
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      for (let at = 0; at < next.ids.length; at += 32) {
        const treeId = next.ids.subarray(at, at + 32)
        const entry = visit(treeId, rawPath(next.path), id)
        if (entry < 0 || walked[entry] === 1) continue
        walked[entry] = 1
        const below = await examineTree(walker, treeId, next.path, (blob, path) => visit(blob, path, id))
        if (Array.isArray(below)) stack.push(...below)
        else damages.affect(packKey(index.packs.nameOf(index.table.packOf(entry))), below.message, rawPath(next.path))
      }
    }
  }
  return snapshots.length
}

async function examineTree(
  walker: TreeWalker,
  treeId: Uint8Array,
  path: Uint8Array,
  visit: (id: Uint8Array, path: RawPath) => number,
): Promise<{ readonly ids: Uint8Array; readonly path: Uint8Array }[] | { readonly message: string }> {
  const below: { ids: Uint8Array; path: Uint8Array }[] = []
  try {
    for await (const { cursor } of walker.entriesOf(treeId)) {
      const entryPath = Buffer.concat([path, Buffer.from('/'), cursor.name])
      const { tree, content } = cursor
      if (tree !== undefined) below.push({ ids: tree.slice(), path: entryPath })
      if (content === undefined) continue
      let { ids } = content
      for (let at = 0; at < ids.length; at += 32) visit(ids.subarray(at, at + 32), rawPath(entryPath))
      if (content.depth === 0) continue
      ids = await walker.contentIds(cursor)
      for (let at = 0; at < ids.length; at += 32) visit(ids.subarray(at, at + 32), rawPath(entryPath))
    }
    return below
  } catch (error) {
    if (isBkpError(error, 'damaged') || isPortError(error, 'corrupt') || isPortError(error, 'not-found'))
      return { message: error.message }
    throw error
  }
}

function rawPath(bytes: Uint8Array): RawPath {
  return { text: bytes.length === 0 ? '/' : Buffer.from(bytes).toString(), bytes }
}
