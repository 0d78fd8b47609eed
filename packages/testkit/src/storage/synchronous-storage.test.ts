import { setImmediate as nextTurn } from 'node:timers/promises'
import type { CallOptions, GetOptions, PutOptions, StoredObject } from '@bkp/plugin-api'
import { InMemoryStorage } from '../fakes/in-memory-storage.js'
import { describeStorage } from './describe-storage.js'

// More than the suite needs for its longest list.
const mostCalls = 20_000

/** As over a synchronous library: calls come back in microtasks, but for those that are said to take a turn. */
class SynchronousStorage extends InMemoryStorage {
  readonly #inTurns: readonly ('put' | 'list')[]
  readonly #stored: Map<string, Uint8Array>
  #calls = 0

  constructor(objects: Map<string, Uint8Array>, inTurns: readonly ('put' | 'list')[]) {
    super({ objects })
    this.#stored = objects
    this.#inTurns = inTurns
  }

  override async put(key: string, data: Uint8Array, options: PutOptions = {}): Promise<void> {
    if (this.#inTurns.includes('put') || options.ifAbsent) return super.put(key, data, options)
    this.#count(options)
    this.#stored.set(key, Uint8Array.from(data))
  }

  override async get(key: string, options: GetOptions = {}): Promise<Uint8Array> {
    this.#count(options)
    const bytes = this.#stored.get(key)
    const isWhole = options.offset === undefined && options.length === undefined && options.into === undefined
    return bytes !== undefined && isWhole ? Uint8Array.from(bytes) : super.get(key, options)
  }

  override async stat(key: string, options: CallOptions = {}): Promise<StoredObject> {
    this.#count(options)
    const bytes = this.#stored.get(key)
    return bytes === undefined ? super.stat(key, options) : { key, sizeBytes: bytes.length }
  }

  override async remove(key: string, options: CallOptions = {}): Promise<void> {
    this.#count(options)
    this.#stored.delete(key)
  }

  override async *list(prefix: string, options: CallOptions = {}): AsyncGenerator<StoredObject> {
    if (this.#inTurns.includes('list')) return yield* super.list(prefix, options)
    options.signal?.throwIfAborted()
    for (const [key, { length }] of [...this.#stored]) {
      if (key.startsWith(prefix)) yield { key, sizeBytes: length }
      options.signal?.throwIfAborted()
    }
  }

  /** Fails where it would hang: no time limit of a test fires while nothing else gets its turn. */
  #count({ signal }: CallOptions): void {
    signal?.throwIfAborted()
    if (this.#calls === 0) void nextTurn().then(() => (this.#calls = 0))
    this.#calls++
    if (this.#calls > mostCalls) throw new Error('the suite lets nothing else have its turn')
  }
}

const fixtureOf = (...inTurns: ('put' | 'list')[]) => ({
  async open() {
    const objects = new Map<string, Uint8Array>()
    const reopen = async () => new SynchronousStorage(objects, inTurns)
    return { storage: await reopen(), reopen, dispose: async () => objects.clear() }
  },
})

describeStorage('that is synchronous', fixtureOf())
describeStorage('that is synchronous, but for lists', fixtureOf('list'))
describeStorage('that is synchronous, but for puts', fixtureOf('put'))
