import { createRequire } from 'node:module'
import { assertRoom, copyOfKey, digestBytes, typeByte } from './arguments.js'
import type { KeyedHasher } from './keyed-hasher.js'

export type NativeBlake3 = Pick<typeof import('@napi-rs/blake-hash'), 'Blake3Hasher'>

/** @throws Error when the package, or its binary for this platform, is not installed */
export async function loadNative(): Promise<NativeBlake3> {
  // Not import(): Node would read the whole of a CommonJS file for its names first, in JavaScript.
  return createRequire(import.meta.url)('@napi-rs/blake-hash') as NativeBlake3
}

/** @throws RangeError when the key has not 32 bytes */
export function createNativeHasher(native: NativeBlake3, key: Uint8Array): KeyedHasher {
  const hasher = native.Blake3Hasher.newKeyed(Buffer.from(copyOfKey(key)))
  return {
    implementation: 'native',
    digest(type, data, out, outOffset = 0) {
      assertRoom(out, outOffset)
      // The type goes in as an array: a number would be hashed as its decimal digits.
      const first = typeByte(type)
      hasher.reset()
      hasher.update(first)
      hasher.update(data)
      // Text, because digestBuffer() allocates memory outside the heap: twice the time for small blobs.
      writeHex(hasher.digest('hex'), out, outOffset)
    },
  }
}

function writeHex(text: string, out: Uint8Array, outOffset: number): void {
  for (let i = 0; i < digestBytes; i++) {
    out[outOffset + i] = (nibble(text.charCodeAt(2 * i)) << 4) | nibble(text.charCodeAt(2 * i + 1))
  }
}

/** Value of a lower-case hexadecimal digit, `0` to `9` being 48 to 57 and `a` to `f` 97 to 102. */
function nibble(code: number): number {
  return code < 58 ? code - 48 : code - 87
}
