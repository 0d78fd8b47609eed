import { randomInt } from 'node:crypto'
import { packKey } from '../../format/ids.js'
import { listPacks } from '../../repository/lost-packs.js'
import type { RepositoryIndex } from '../../repository/repository-index.js'
import type { CheckOptions, CheckResult } from '../api.js'
import type { OperationContext } from '../context.js'
import { Damages } from './damages.js'
import { readPacksInThreads } from './read-packs.js'
import { SnapshotCheck } from './snapshot-check.js'

/**
 * Verifies that every snapshot can be restored: structure always, data as far as asked. Changes nothing.
 *
 * @param indexFrom where the index is read, when others know it better
 */
export async function runCheck(
  context: OperationContext,
  options: CheckOptions,
  indexFrom = context,
): Promise<CheckResult> {
  const started = context.now()
  options.onEvent?.({ kind: 'started', operation: 'check' })
  const damages = new Damages()
  const index = await indexFrom.loadIndex(options.signal === undefined ? {} : { signal: options.signal })
  damages.addBroken(index.broken)
  const stored = await listPacks(context.storage)
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
  const snapshots = await SnapshotCheck.run(context, { index, bad, used, damages }, options)
  return {
    snapshots,
    packs: index.packs.count,
    packsRead: wanted.length,
    blobs: index.table.count,
    bytesRead: read.bytes,
    damages: damages.list(),
    unreferencedPacks: countUnreferenced(index, used, stored),
    elapsedMs: context.now() - started,
  }
}

/** How many of the packs that are there no snapshot needs, as far as index and snapshots can be read. */
function countUnreferenced(index: RepositoryIndex, used: Uint8Array, stored: ReadonlyMap<string, number>): number {
  let count = [...stored.keys()].filter((name) => !index.packs.has(name)).length
  for (let pack = 0; pack < index.packs.count; pack++)
    if (used[pack] === 0 && stored.has(index.packs.nameOf(pack))) count++
  return count
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
