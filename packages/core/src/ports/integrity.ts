import { type CallOptions, type GetOptions, PortError, type StoredObject } from '@bkp/plugin-api'
import { descriptorKey, objectNameOf, parseObjectKey } from '../format/ids.js'
import { ForwardingStorage } from './forwarding.js'

/**
 * Believes no storage: what is named by its SHA-256 is verified when it is read whole, no answer may be short, and names
 * that are not ours are never passed on.
 */
export class IntegrityStorage extends ForwardingStorage {
  override async get(key: string, options: GetOptions = {}): Promise<Uint8Array> {
    const bytes = await this.inner.get(key, options)
    const expected = options.length ?? options.into?.length
    const parsed = parseObjectKey(key)
    const isWhole = options.offset === undefined && options.length === undefined
    if (expected !== undefined && bytes.length !== expected) {
      // A whole object of another size than was asked for is another object; a part may have been cut off on its way.
      throw new PortError(isWhole ? 'corrupt' : 'transient', `${key} gave ${bytes.length} bytes instead of ${expected}`)
    }
    if (isWhole && parsed !== undefined && parsed.family !== 'sessions' && objectNameOf(bytes) !== parsed.name) {
      throw new PortError('corrupt', `the bytes of ${key} do not have the SHA-256 that is its name`)
    }
    return bytes
  }

  override async *list(prefix: string, options?: CallOptions): AsyncGenerator<StoredObject> {
    for await (const object of this.inner.list(prefix, options)) {
      const isOurs = object.key === descriptorKey || parseObjectKey(object.key) !== undefined
      if (isOurs && object.key.startsWith(prefix)) yield object
    }
  }
}
