import { createHash } from 'node:crypto'
import { LocalCache } from './local-cache.js'

/** Of how many places a slot is remembered. */
const mostSlots = 200

/** The key slot that opened a place on a network the last time, sealed as it lies there. What it is worth says `KeySlots`. */
export class RememberedSlot {
  readonly #cache: LocalCache | undefined
  readonly #name: string
  #kept: Uint8Array | undefined

  /**
   * @param url of the place, as messages may show it
   * @param cacheDirectory of all repositories; nothing is remembered without
   */
  constructor(url: string, cacheDirectory: string | undefined, now: () => number) {
    this.#cache = cacheDirectory === undefined ? undefined : new LocalCache(cacheDirectory, 'key-slots', now, mostSlots)
    this.#name = createHash('sha256').update(url).digest('hex')
  }

  async read(): Promise<Uint8Array | undefined> {
    this.#kept = (await this.#cache?.read(this.#name))?.slice()
    return this.#kept
  }

  async keep(slot: Uint8Array): Promise<void> {
    if (this.#kept !== undefined && Buffer.compare(this.#kept, slot) === 0) return
    await this.#cache?.write(this.#name, [slot])
  }
}
