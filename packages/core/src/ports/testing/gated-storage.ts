import type { PutOptions } from '@bkp/plugin-api'
import { InMemoryStorage } from '@bkp/testkit'

/** Keeps every put and get until the test lets it go; deaf to signals when told so. */
export class GatedStorage extends InMemoryStorage {
  #gates: { readonly key: string; readonly open: () => void }[] = []
  readonly signals: (AbortSignal | undefined)[] = []
  running = 0
  mostRunning = 0

  /** Keys of the calls that are kept. */
  get kept(): readonly string[] {
    return this.#gates.map(({ key }) => key)
  }

  letGo(count = Number.POSITIVE_INFINITY): void {
    for (const { open } of this.#gates.splice(0, count)) open()
  }

  override async put(key: string, data: Uint8Array, options: PutOptions = {}): Promise<void> {
    await this.#keep(key, options.signal)
    await super.put(key, data, { ...(options.ifAbsent === undefined ? {} : { ifAbsent: options.ifAbsent }) })
  }

  override async get(key: string, options: { offset?: number; length?: number; signal?: AbortSignal } = {}) {
    await this.#keep(key, options.signal)
    return super.get(key, options)
  }

  async #keep(key: string, signal: AbortSignal | undefined): Promise<void> {
    this.signals.push(signal)
    this.mostRunning = Math.max(this.mostRunning, ++this.running)
    await new Promise<void>((open) => this.#gates.push({ key, open }))
    this.running--
  }
}
