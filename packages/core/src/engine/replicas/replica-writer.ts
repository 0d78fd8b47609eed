import type { Storage } from '@bkp/plugin-api'
import { packKey } from '../../format/ids.js'
import { packCapacityBytes } from '../../format/pack.js'
import { SpareMemory } from '../../spare-memory.js'
import { asError, type Replica } from './replica.js'
import type { Spool } from './spool.js'

/**
 * Packs that one destination is sent at a time, or those over a network all together: each lies in memory meanwhile, which must
 * not grow with their number.
 */
const transfersInAll = 4

/** @param slow how many destinations there are that packs may have to wait for */
export function transfersFor(slow: number): number {
  return Math.max(1, Math.floor(transfersInAll / Math.max(1, slow)))
}

export interface ReplicaWriterOptions {
  /** Where packs wait when the destination is busy; without one the run waits for it. */
  readonly spool: Spool | undefined
  /** Packs that it is sent at a time. */
  readonly transfers: number
  readonly signal: AbortSignal
  /** Called when something has become durable there. */
  readonly onStored: (sizeBytes: number) => void
}

/** Where a pack can be read again once it is not in memory any more. */
interface LentPack {
  readonly name: string
  readonly sizeBytes: number
  readonly read: (into: Uint8Array) => Promise<Uint8Array>
  readonly letGo: () => Promise<void>
  /** Called when it is durable, or will never be. */
  settle: () => void
}

/**
 * Writes one destination's share of a run: packs side by side, and after all of them what names them. No call rejects: the
 * first failure ends the part of this destination in the run, and whoever waits for it goes on.
 */
export class ReplicaWriter {
  readonly replica: Replica
  readonly #options: ReplicaWriterOptions
  readonly #atATime: number
  #running = 0
  #storedBytes = 0
  #queuedBytes = 0
  readonly #lent: LentPack[] = []
  /** Of packs that were read again, used again: what is left to the garbage collector piles up before it comes. */
  readonly #spare = new SpareMemory((bytes) => new ArrayBuffer(Math.max(bytes, packCapacityBytes)))
  /** Calls that hold a pack in memory until there is room for it. */
  readonly #blocked: (() => void)[] = []
  readonly #transfers = new Set<Promise<void>>()
  #order: Promise<void> = Promise.resolve()
  readonly #ending = new AbortController()
  /** Aborted with the run, and when this destination has ended its part: what is under way there need not be waited for. */
  readonly signal: AbortSignal

  constructor(replica: Replica, options: ReplicaWriterOptions) {
    this.replica = replica
    this.#options = options
    this.signal = AbortSignal.any([options.signal, this.#ending.signal])
    this.#atATime = Math.max(1, Math.min(replica.storage.capabilities.concurrency, options.transfers))
  }

  /** Bytes of this run that are durable there. */
  get storedBytes(): number {
    return this.#storedBytes
  }

  /** Bytes that wait for it on this machine. */
  get queuedBytes(): number {
    return this.#queuedBytes
  }

  /**
   * Resolves when the memory of `bytes` is not needed here any more.
   * @param elsewhere tells, once it is durable there, which storage of this machine the pack can be read from again
   */
  async pack(name: string, bytes: Uint8Array, elsewhere?: Promise<Storage | undefined>): Promise<void> {
    if (this.#running < this.#atATime) return this.#track(this.#put(packKey(name), () => Promise.resolve(bytes)))
    const lent = await this.#lend(name, bytes, elsewhere)
    if (this.#hasEnded) {
      await lent?.letGo()
      return
    }
    if (lent !== undefined) {
      void this.#track(new Promise((resolve) => (lent.settle = resolve)))
      this.#lent.push(lent)
      this.#queuedBytes += lent.sizeBytes
      this.#next()
      return
    }
    if (this.#running >= this.#atATime) await new Promise<void>((resolve) => this.#blocked.push(resolve))
    return this.#track(this.#put(packKey(name), () => Promise.resolve(bytes)))
  }

  /** Has `action` done when everything before is, e.g. an index segment stored after the packs that it names. */
  afterwards(action: (replica: Replica) => Promise<void>): void {
    const before = Promise.all(this.#transfers)
    const order = this.#order
    this.#order = (async () => {
      await order
      await before
      if (this.#hasEnded) return
      try {
        await action(this.replica)
      } catch (error) {
        this.#end(asError(error))
      }
    })()
  }

  /** As `afterwards`, for an object. */
  putAfter(key: string, bytes: Uint8Array): void {
    this.afterwards(async ({ storage }) => {
      await storage.put(key, bytes, { signal: this.signal })
      this.noteStored(bytes.length)
    })
  }

  /** Resolves when all that was given is durable, or this destination has ended its part. */
  async settled(): Promise<void> {
    while (this.#transfers.size > 0) await Promise.all(this.#transfers)
    await this.#order
  }

  get #hasEnded(): boolean {
    return this.replica.failure !== undefined
  }

  async #lend(
    name: string,
    bytes: Uint8Array,
    elsewhere: Promise<Storage | undefined> | undefined,
  ): Promise<LentPack | undefined> {
    const { spool } = this.#options
    const { signal } = this
    const common = { name, sizeBytes: bytes.length, settle: () => undefined }
    const storage = await elsewhere
    if (storage !== undefined) {
      const read = (into: Uint8Array) => storage.get(packKey(name), { into, signal })
      return { ...common, read, letGo: () => Promise.resolve() }
    }
    const kept = spool?.keep(name, bytes)
    if (spool === undefined || kept === undefined) return undefined
    const lent = { ...common, read: (into: Uint8Array) => spool.read(name, into), letGo: () => spool.letGo(name) }
    try {
      await kept
      return lent
    } catch {
      // A full disk under the spool is the same as a full spool: the run waits for the destination.
      await lent.letGo()
      return undefined
    }
  }

  /** Begins with what waits, as far as there is room: first what holds up the run. */
  #next(): void {
    // Others may have ended its part too.
    if (this.#hasEnded) this.#letGoOfWaiting()
    while (this.#running < this.#atATime) {
      const blocked = this.#blocked.shift()
      if (blocked !== undefined) {
        blocked()
        // It takes its place in a moment; the next call comes when that is done.
        return
      }
      const lent = this.#lent.shift()
      if (lent === undefined) return
      void this.#putLent(lent)
    }
  }

  async #put(key: string, read: () => Promise<Uint8Array>): Promise<void> {
    if (this.#hasEnded) return
    this.#running++
    try {
      const bytes = await read()
      await this.replica.storage.put(key, bytes, { signal: this.signal })
      this.noteStored(bytes.length)
    } catch (error) {
      this.#end(asError(error))
    } finally {
      this.#running--
      this.#next()
    }
  }

  async #putLent(lent: LentPack): Promise<void> {
    const memory = this.#spare.take(lent.sizeBytes)
    await this.#put(packKey(lent.name), () => lent.read(memory))
    this.#spare.giveBack(memory.buffer)
    this.#queuedBytes -= lent.sizeBytes
    await lent.letGo()
    lent.settle()
  }

  #track(transfer: Promise<void>): Promise<void> {
    this.#transfers.add(transfer)
    const forget = () => this.#transfers.delete(transfer)
    transfer.then(forget, forget)
    return transfer
  }

  /** Counts what has become durable there in another way. */
  noteStored(sizeBytes: number): void {
    this.#storedBytes += sizeBytes
    this.#options.onStored(sizeBytes)
  }

  #end(reason: Error): void {
    this.replica.giveUp(reason)
    this.#ending.abort(reason)
    this.#letGoOfWaiting()
  }

  #letGoOfWaiting(): void {
    for (const resolve of this.#blocked.splice(0)) resolve()
    for (const lent of this.#lent.splice(0)) {
      this.#queuedBytes -= lent.sizeBytes
      void lent.letGo().then(lent.settle)
    }
  }
}
