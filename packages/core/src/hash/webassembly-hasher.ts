import { createBLAKE3 } from 'hash-wasm'
import { assertRoom, copyOfKey, digestBytes, typeByte } from './arguments.js'
import type { KeyedHasher } from './keyed-hasher.js'

/** @throws RangeError when the key has not 32 bytes */
export async function createWebAssemblyHasher(key: Uint8Array): Promise<KeyedHasher> {
  // hash-wasm reads the key again for every digest: it must not be the caller's, who may wipe it.
  const hasher = await createBLAKE3(digestBytes * 8, copyOfKey(key))
  return {
    implementation: 'webassembly',
    digest(type, data, out, outOffset = 0) {
      assertRoom(out, outOffset)
      const first = typeByte(type)
      hasher.init().update(first).update(data)
      out.set(hasher.digest('binary'), outOffset)
    },
  }
}
