/**
 * Copies bytes into memory, from `at` on. The same as `memory.set(bytes, at)`, and as fast where the memory is shared, as `into` of
 * `Storage.get` mostly is: up to Node 25 `set` copies into shared memory word by word, twenty times slower.
 * @throws RangeError when they do not fit; nothing is copied then
 */
export function copyInto(memory: Uint8Array, bytes: Uint8Array, at = 0): void {
  const isPlain = !(memory.buffer instanceof SharedArrayBuffer) || bytes.buffer === memory.buffer
  if (isPlain || bytes.length === 0 || at < 0 || at + bytes.length > memory.length) memory.set(bytes, at)
  // Fills a range with a value of the same length, in one native copy.
  else Buffer.from(memory.buffer, memory.byteOffset, memory.byteLength).fill(bytes, at, at + bytes.length)
}
