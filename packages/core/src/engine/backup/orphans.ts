import { isPortError, type Storage } from '@bkp/plugin-api'
import { isBkpError } from '../../errors/index.js'
import { indexKey, packKey, parseObjectKey } from '../../format/ids.js'
import { encodeIndexSegment, type IndexPack } from '../../format/index-segment.js'
import { parseJsonObject } from '../../format/json.js'
import { readDirectory, readTrailer, trailerBytes } from '../../format/pack.js'
import { headerBytes, PartSealer, parseHeader, unwrapObjectKey } from '../../format/sealed-object.js'
import { openSessions } from '../../format/session.js'
import { keysOf, readSealed } from '../../repository/repository-index.js'
import { closeSession, sessionLifeMs } from '../../repository/session.js'
import { throwIfAborted } from '../abort.js'
import type { EngineEvent } from '../api.js'
import type { OperationContext } from '../context.js'
import type { Leases } from '../replicas/leases.js'
import { onePlace } from '../replicas/one-place.js'
import { asError, type Replica } from '../replicas/replica.js'

/**
 * What an interrupted run left behind: packs that no index names. They are entered into the index, so that the next run
 * uses them. Costs one list of `sessions/` for each destination when nothing was interrupted.
 * @returns how many packs were taken over
 * @throws BkpError `usage` when two destinations are one place
 */
export async function adoptOrphans(
  context: OperationContext,
  cipherId: string,
  leases: Leases,
  signal: AbortSignal | undefined,
): Promise<number> {
  let adopted = 0
  // One after the other: what the first has is in the index by the time the second is looked at.
  for (const replica of context.replicas) {
    if (leases.of(replica) === undefined) continue
    try {
      adopted += await adoptFrom(context, replica, cipherId, leases)
    } catch (error) {
      throwIfAborted(signal)
      // The others do without it.
      if (!context.isReplicated || !isPortError(error)) throw error
      replica.giveUp(asError(error))
    }
  }
  return adopted
}

async function adoptFrom(
  context: OperationContext,
  replica: Replica,
  cipherId: string,
  leases: Leases,
): Promise<number> {
  const { storage } = replica
  const dead = await deadSessions(context, replica, leases)
  if (dead.length === 0) return 0
  const index = await context.loadIndex({ condemned: 'named' })
  const adopted: IndexPack[] = []
  for await (const { key, sizeBytes } of storage.list('packs/')) {
    const name = parseObjectKey(key)?.name
    if (name === undefined || index.packs.has(name) || index.condemned.has(name)) continue
    const pack = await describePack(context, storage, name, sizeBytes)
    if (pack !== undefined) adopted.push(pack)
  }
  if (adopted.length > 0) {
    const { name, bytes } = context.seal('index', encodeIndexSegment(adopted), cipherId)
    await storage.put(indexKey(name), bytes)
  }
  for (const key of dead) await closeSession(storage, key)
  return adopted.length
}

/** Reads the directory of a pack. A damaged one is no use and is left to check and prune. */
export async function describePack(
  context: OperationContext,
  storage: Storage,
  name: string,
  sizeBytes: number,
): Promise<IndexPack | undefined> {
  const { repository } = context
  try {
    const header = await storage.get(packKey(name), { offset: 0, length: Math.min(headerBytes, sizeBytes) })
    const { kind, cipherId } = parseHeader(header, repository.id)
    const isMetadata = kind === 'metadata-pack'
    if (!isMetadata && kind !== 'data-pack') return undefined
    const key = unwrapObjectKey(header, isMetadata ? repository.keys.metadata : repository.keys.data)
    const sealer = new PartSealer(context.cipherFor(cipherId), key, header)
    const length = trailerBytes(sealer.overheadBytes)
    if (sizeBytes < headerBytes + length) return undefined
    const trailer = readTrailer(
      sealer,
      await storage.get(packKey(name), { offset: sizeBytes - length, length }),
      sizeBytes,
    )
    const sealed = await storage.get(packKey(name), { offset: trailer.offset, length: trailer.length })
    const { compressionIds, rows } = readDirectory(sealer, sealed, trailer, isMetadata)
    return { name, sizeBytes, kind: isMetadata ? 'metadata' : 'data', compressionIds, rows: rows.bytes }
  } catch (error) {
    if (isBkpError(error, 'damaged')) return undefined
    throw error
  }
}

/**
 * Sessions whose writer cannot be alive: of a process of this machine that is gone, or without a heartbeat for long.
 * @throws BkpError `usage` when the run's own lease at another destination lies here: it is the same place
 */
async function deadSessions(context: OperationContext, replica: Replica, leases: Leases): Promise<string[]> {
  const { storage } = replica
  const dead: string[] = []
  for (const key of openSessions(await keysOf(storage, 'sessions/'))) {
    const holder = leases.holderOf(key)
    if (holder === replica) continue
    if (holder !== undefined) throw onePlace(replica.name, holder.name)
    const payload = await readSealed({ ...context.repository, storage }, 'session', key, context.cipherFor, [])
    if (payload === undefined) continue
    const session = parseJsonObject(payload, 'A session')
    const age = context.now() - Date.parse(String(session.heartbeat))
    if (age > sessionLifeMs || (session.hostname === context.hostname && !isAlive(Number(session.pid)))) dead.push(key)
  }
  return dead
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Says it when packs of an interrupted run are used again. */
export function tellOfAdopted(packs: number, onEvent: ((event: EngineEvent) => void) | undefined): void {
  if (packs === 0) return
  const message = `${packs} ${packs === 1 ? 'pack of an interrupted run is' : 'packs of an interrupted run are'} used again`
  onEvent?.({ kind: 'note', message })
}
