import {
  type CallOptions,
  type GetOptions,
  PortError,
  type PutOptions,
  type Storage,
  type StorageCapabilities,
  type StoredObject,
} from '@bkp/plugin-api'
import { type Occasion, occasions } from '../support/occasions.js'
import { withFlippedBit } from '../support/samples.js'

/** A call of a storage that can be made to fail. */
export type StorageCall = 'put' | 'get' | 'stat' | 'list' | 'remove'

/** What goes wrong, and when. */
export type Fault =
  /**
   * `before`: the call does nothing. `after`: it does everything, and the answer is lost on its way back; of a list, after
   * its first object.
   */
  | {
      readonly kind: 'failure'
      readonly call: StorageCall
      readonly moment: 'before' | 'after'
      readonly error: PortError
      readonly when: Occasion
    }
  /** What get gives lacks its last bytes. */
  | { readonly kind: 'truncation'; readonly missingBytes: number; readonly when: Occasion }
  /** What get gives has one wrong bit. @param bit counted from the first byte's lowest */
  | { readonly kind: 'bit-flip'; readonly bit: number; readonly when: Occasion }

/** A storage that breaks on demand. What it stores stays whole: damage is done to answers. */
export class FaultyStorage implements Storage {
  readonly capabilities: StorageCapabilities
  readonly #inner: Storage
  readonly #faults: readonly { readonly fault: Fault; readonly isHit: (call: number) => boolean }[]
  readonly #calls = { put: 0, get: 0, stat: 0, list: 0, remove: 0 }

  constructor(inner: Storage, faults: readonly Fault[]) {
    this.#inner = inner
    this.capabilities = inner.capabilities
    this.#faults = faults.map((fault) => ({ fault, isHit: occasions(fault.when) }))
  }

  /** How many calls of a kind there were. */
  callsOf(call: StorageCall): number {
    return this.#calls[call]
  }

  put(key: string, data: Uint8Array, options?: PutOptions): Promise<void> {
    return this.#run('put', () => this.#inner.put(key, data, options))
  }

  async get(key: string, options: GetOptions = {}): Promise<Uint8Array> {
    const hits = this.#next('get')
    const bytes = await failing(hits, () => this.#inner.get(key, options))
    return hits.reduce(damaged, bytes)
  }

  stat(key: string, options?: CallOptions): Promise<StoredObject> {
    return this.#run('stat', () => this.#inner.stat(key, options))
  }

  async *list(prefix: string, options?: CallOptions): AsyncGenerator<StoredObject> {
    const hits = this.#next('list')
    throwAt('before', hits)
    for await (const object of this.#inner.list(prefix, options)) {
      yield object
      throwAt('after', hits)
    }
    throwAt('after', hits)
  }

  remove(key: string, options?: CallOptions): Promise<void> {
    return this.#run('remove', () => this.#inner.remove(key, options))
  }

  close(): Promise<void> {
    return this.#inner.close()
  }

  async #run<T>(call: StorageCall, action: () => Promise<T>): Promise<T> {
    return failing(this.#next(call), action)
  }

  #next(call: StorageCall): readonly Fault[] {
    const number = ++this.#calls[call]
    const own = this.#faults.filter(({ fault }) => (fault.kind === 'failure' ? fault.call : 'get') === call)
    return own.filter(({ isHit }) => isHit(number)).map(({ fault }) => fault)
  }
}

async function failing<T>(hits: readonly Fault[], action: () => Promise<T>): Promise<T> {
  throwAt('before', hits)
  const result = await action()
  throwAt('after', hits)
  return result
}

function throwAt(moment: 'before' | 'after', hits: readonly Fault[]): void {
  for (const fault of hits) {
    // A new one each time, since callers may add to what they catch.
    if (fault.kind === 'failure' && fault.moment === moment) throw copyOf(fault.error)
  }
}

function copyOf({ code, message, hint, retryAfterMs, cause }: PortError): PortError {
  return new PortError(code, message, {
    cause,
    ...(hint === undefined ? {} : { hint }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  })
}

function damaged(bytes: Uint8Array, fault: Fault): Uint8Array {
  if (fault.kind === 'truncation') return bytes.subarray(0, Math.max(0, bytes.length - fault.missingBytes))
  if (fault.kind === 'bit-flip' && fault.bit < bytes.length * 8) return withFlippedBit(bytes, fault.bit)
  return bytes
}
