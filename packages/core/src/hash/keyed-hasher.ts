import { copyOfKey } from './arguments.js'
import { createNativeHasher, loadNative, type NativeBlake3 } from './native-hasher.js'

/** BLAKE3 in keyed mode over a type byte and data: the id of a blob. Used by one thread. */
export interface KeyedHasher {
  readonly implementation: 'native' | 'webassembly'
  /**
   * Writes 32 bytes to `out` at `outOffset` (default 0).
   * @param type 0 data, 1 tree, 2 list
   * @throws RangeError when `type` is another number or `out` has no room
   */
  digest(type: number, data: Uint8Array, out: Uint8Array, outOffset?: number): void
}

/**
 * Native where the prebuilt binary loads, else WebAssembly: slower, the same bytes.
 * @param key 32 bytes; copied
 * @param onFallback told why the native binary did not load
 * @param load where the native binary comes from
 * @throws RangeError when the key has another length
 */
export async function createKeyedHasher(
  key: Uint8Array,
  onFallback?: (cause: unknown) => void,
  load: () => Promise<NativeBlake3> = loadNative,
): Promise<KeyedHasher> {
  const own = copyOfKey(key)
  const native = await load().catch((cause: unknown) => {
    onFallback?.(cause)
    return undefined
  })
  if (native !== undefined) return createNativeHasher(native, own)
  // Loaded only here: it is larger than all the rest that a thread loads.
  const { createWebAssemblyHasher } = await import('./webassembly-hasher.js')
  return createWebAssemblyHasher(own)
}
