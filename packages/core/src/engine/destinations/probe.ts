import { randomBytes } from 'node:crypto'
import { isPortError, type PortError, type Storage } from '@bkp/plugin-api'
import { objectNameOf } from '../../format/ids.js'
import { endOfSession } from '../../format/session.js'
import { throwIfAborted } from '../abort.js'
import type { ProbeResult, ProbeStep } from '../api.js'

const smallBytes = 1000
/** Half of a pack: large enough to measure a line, small enough for a slow one. */
const largeBytes = 8 * 1024 * 1024
/** Where nothing can be removed, this much stays. */
const largeBytesToStay = 256 * 1024
/** Providers that sign requests refuse those of clocks that are farther off; AWS says 15 minutes. */
const worrisomeSkewMs = 60_000

/** Tries what backups need of a storage, with objects that no repository takes for its own. */
export class Probe {
  readonly #storage: Storage
  readonly #now: () => number
  readonly #signal: AbortSignal | undefined
  readonly #steps: ProbeStep[] = []
  readonly #left = new Set<string>()
  readonly #measured: { -readonly [K in keyof ProbeResult]?: ProbeResult[K] } = {}
  #canRemove = false
  #canReplace = false

  constructor(storage: Storage, now: () => number, signal: AbortSignal | undefined) {
    this.#storage = storage
    this.#now = now
    this.#signal = signal
  }

  async run(): Promise<ProbeResult> {
    // A lease of a writer that never was: the only family whose names are free to choose.
    const key = `sessions/${randomBytes(16).toString('hex')}`
    const data = randomBytes(smallBytes)
    try {
      if (await this.#try('write', () => this.#write(key, data))) {
        await this.#try('read', () => this.#read(key, data))
        await this.#try('ranges', () => this.#ranges(key, data))
        await this.#try('list', () => this.#list(key))
        await this.#try('create', () => this.#create(key))
        await this.#try('replace', () => this.#replace(key))
        await this.#try('remove', () => this.#remove(key))
        await this.#try('speed', () => this.#speed())
      }
      await this.#try('clock', () => this.#clock())
    } finally {
      for (const left of this.#left) await this.#removeQuietly(left)
      for (const left of [...this.#left]) await this.#sayItIsOver(left)
    }
    const result = { steps: this.#steps, canRemove: this.#canRemove, canReplace: this.#canReplace }
    return { ...result, ...this.#measured, leftBehind: [...this.#left] }
  }

  async #write(key: string, data: Uint8Array): Promise<string> {
    this.#left.add(key)
    const started = this.#now()
    await this.#storage.put(key, data, this.#options)
    return `${smallBytes} bytes written in ${this.#now() - started} ms`
  }

  async #read(key: string, data: Uint8Array): Promise<string> {
    const started = this.#now()
    const { sizeBytes } = await this.#storage.stat(key, this.#options)
    this.#measured.latencyMs = this.#now() - started
    if (sizeBytes !== data.length) throw new Error(`it says ${sizeBytes} bytes instead of ${data.length}`)
    requireSame(await this.#storage.get(key, this.#options), data)
    return `the same bytes came back; ${this.#measured.latencyMs} ms for a small request`
  }

  async #ranges(key: string, data: Uint8Array): Promise<string> {
    const ranges = [
      { offset: 0, length: 1 },
      { offset: 100, length: 300 },
      { offset: smallBytes - 1, length: 1 },
    ]
    for (const { offset, length } of ranges) {
      const bytes = await this.#storage.get(key, { ...this.#options, offset, length })
      requireSame(bytes, data.subarray(offset, offset + length))
    }
    const beyond = this.#storage.get(key, { ...this.#options, offset: smallBytes, length: 1 })
    const answer = await beyond.then(
      () => 'bytes',
      (error: unknown) => (isPortError(error) ? error.code : 'an unknown error'),
    )
    if (answer !== 'range-invalid') throw new Error(`a range behind the end gives ${answer}`)
    return 'parts of an object can be read'
  }

  async #list(key: string): Promise<string> {
    const found: number[] = []
    for await (const object of this.#storage.list('sessions/', this.#options))
      if (object.key === key) found.push(object.sizeBytes)
    if (found.length === 1 && found[0] === smallBytes) return 'what was written is listed at once, once'
    if (found.length === 0 && this.#storage.capabilities.listing === 'eventual') return 'lists lag behind, as it says'
    throw new Error(`what was written is listed ${found.length} times, with sizes ${found.join(', ') || 'none'}`)
  }

  async #create(key: string): Promise<string> {
    if (!this.#storage.capabilities.conditionalCreate)
      throw new Missing('an object that is there cannot be told apart from none while writing; nothing needs that')
    const answer = await this.#storage.put(key, randomBytes(10), { ...this.#options, ifAbsent: true }).then(
      () => 'it was replaced',
      (error: unknown) => (isPortError(error, 'already-exists') ? undefined : String((error as Error).message)),
    )
    if (answer !== undefined) throw new Error(`a put that must not replace did not refuse: ${answer}`)
    return 'a put that must not replace is refused'
  }

  async #replace(key: string): Promise<string> {
    const data = randomBytes(smallBytes)
    try {
      await this.#storage.put(key, data, this.#options)
    } catch (error) {
      throw deniedBy(error, 'these credentials may not replace objects; backups do not need it, healing does')
    }
    requireSame(await this.#storage.get(key, this.#options), data)
    this.#canReplace = true
    return 'an object can be replaced'
  }

  async #remove(key: string): Promise<string> {
    const { canRemove, objectLock } = this.#storage.capabilities
    const reason = objectLock ? 'objects are locked until their date, as is set' : 'these credentials may not delete'
    const denied = `${reason}; everything but prune works`
    if (!canRemove) throw new Missing(denied)
    try {
      await this.#storage.remove(key, this.#options)
    } catch (error) {
      throw deniedBy(error, denied)
    }
    const isGone = await this.#storage.stat(key, this.#options).then(
      () => false,
      (error: unknown) => isPortError(error, 'not-found'),
    )
    if (!isGone) throw new Error('it is still there after it was removed')
    this.#left.delete(key)
    this.#canRemove = true
    return 'an object can be removed'
  }

  async #speed(): Promise<string> {
    const data = randomBytes(this.#canRemove ? largeBytes : largeBytesToStay)
    const key = `sessions/${randomBytes(16).toString('hex')}`
    this.#left.add(key)
    const started = this.#now()
    await this.#storage.put(key, data, this.#options)
    const written = this.#now()
    requireSame(await this.#storage.get(key, this.#options), data)
    const rate = (elapsedMs: number) => Math.round((data.length * 1000) / Math.max(1, elapsedMs))
    this.#measured.uploadBytesPerSecond = rate(written - started)
    this.#measured.downloadBytesPerSecond = rate(this.#now() - written)
    return `one object of ${data.length} bytes went there and back in ${this.#now() - started} ms`
  }

  async #clock(): Promise<string> {
    const { capabilities } = this.#storage
    if (this.#storage.now === undefined)
      throw new Missing(capabilities.isLocal ? 'it is on this machine' : 'the other side does not tell its time')
    const before = this.#now()
    const there = await this.#storage.now(this.#options)
    // The answer was given somewhere between the two.
    const skewMs = Math.round(there - (before + this.#now()) / 2)
    this.#measured.clockSkewMs = skewMs
    if (Math.abs(skewMs) > worrisomeSkewMs)
      throw new Error(`the clocks differ by ${Math.round(skewMs / 1000)} s: set this machine's, or theirs`)
    return `the clocks differ by ${(Math.abs(skewMs) / 1000).toFixed(1)} s`
  }

  async #removeQuietly(key: string): Promise<void> {
    if (!this.#canRemove) return
    const isRemoved = await this.#storage.remove(key).then(
      () => true,
      // It is said that it was left behind.
      () => false,
    )
    if (isRemoved) this.#left.delete(key)
  }

  /** What stays looks like a writer's lease: without this, every later run would look at it. */
  async #sayItIsOver(key: string): Promise<void> {
    const end = endOfSession(key)
    await this.#storage.put(end, new Uint8Array(0)).then(
      () => this.#left.add(end),
      // It is no more than a request spared.
      () => undefined,
    )
  }

  async #try(name: ProbeStep['name'], action: () => Promise<string>): Promise<boolean> {
    throwIfAborted(this.#signal)
    try {
      this.#steps.push({ name, level: 'ok', message: await action() })
      return true
    } catch (error) {
      throwIfAborted(this.#signal)
      const level = error instanceof Missing ? 'note' : 'problem'
      this.#steps.push({ name, level, message: error instanceof Error ? error.message : String(error) })
      return false
    }
  }

  get #options(): { readonly signal?: AbortSignal } {
    return this.#signal === undefined ? {} : { signal: this.#signal }
  }
}

/** Something that is not offered, and not needed. */
class Missing extends Error {}

function deniedBy(error: unknown, message: string): unknown {
  const denials: readonly PortError['code'][] = ['forbidden', 'unsupported', 'already-exists']
  return denials.some((code) => isPortError(error, code)) ? new Missing(message) : error
}

function requireSame(found: Uint8Array, wanted: Uint8Array): void {
  if (objectNameOf(found) !== objectNameOf(wanted)) throw new Error('other bytes came back than were written')
}
