import type { CallOptions, PutOptions, Storage } from '@bkp/plugin-api'
import { ForwardingStorage } from './forwarding.js'
import type { StorageMeter } from './metrics.js'

/**
 * Reads as ever, and only counts what would be written and removed. What was not written is not there afterwards either:
 * an operation that reads back what it put cannot run dry on this.
 */
export class DryRunStorage extends ForwardingStorage {
  readonly #meter: StorageMeter

  constructor(inner: Storage, meter: StorageMeter) {
    super(inner)
    this.#meter = meter
  }

  override async put(_key: string, data: Uint8Array, options: PutOptions = {}): Promise<void> {
    options.signal?.throwIfAborted()
    this.#meter.skippedPut(data.length)
  }

  override async remove(_key: string, options: CallOptions = {}): Promise<void> {
    options.signal?.throwIfAborted()
    this.#meter.skippedRemove()
  }
}
