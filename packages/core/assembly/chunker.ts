// Compiled by scripts/build-wasm.mjs. The memory is imported: the gear table at 0 (256 × u32),
// file bytes behind it, at addresses of the caller's choice.
// No runtime and no bounds checks: the caller, src/chunker/wasm-chunker.ts, passes addresses inside the memory.

const MINIMUM: usize = 262_144
const NORMAL: usize = 1_048_576
const MAXIMUM: usize = 4_194_304

// The masks of the format select the upper bits, so `h AND mask = 0` is `h < limit`: one comparison.
const STRICT_LIMIT: u32 = 0x400
const RELAXED_LIMIT: u32 = 0x4000

/** Where `scan` left off, for the second stretch of a chunk. */
let hash: u32 = 0

/** @returns the address behind the first byte at which the hash falls below `limit`, or 0 if there is none before `stop` */
function scan(from: usize, stop: usize, limit: u32): usize {
  let h = hash
  let at = from
  for (; at + 8 <= stop; at += 8) {
    h = (h << 1) + load<u32>((<usize>load<u8>(at)) << 2)
    if (h < limit) return at + 1
    h = (h << 1) + load<u32>((<usize>load<u8>(at, 1)) << 2)
    if (h < limit) return at + 2
    h = (h << 1) + load<u32>((<usize>load<u8>(at, 2)) << 2)
    if (h < limit) return at + 3
    h = (h << 1) + load<u32>((<usize>load<u8>(at, 3)) << 2)
    if (h < limit) return at + 4
    h = (h << 1) + load<u32>((<usize>load<u8>(at, 4)) << 2)
    if (h < limit) return at + 5
    h = (h << 1) + load<u32>((<usize>load<u8>(at, 5)) << 2)
    if (h < limit) return at + 6
    h = (h << 1) + load<u32>((<usize>load<u8>(at, 6)) << 2)
    if (h < limit) return at + 7
    h = (h << 1) + load<u32>((<usize>load<u8>(at, 7)) << 2)
    if (h < limit) return at + 8
  }
  for (; at < stop; at++) {
    h = (h << 1) + load<u32>((<usize>load<u8>(at)) << 2)
    if (h < limit) return at + 1
  }
  hash = h
  return 0
}

/**
 * The length of the chunk that begins at `start`.
 * @param start address of its first byte
 * @param end address behind the last byte that is there
 */
export function cut(start: usize, end: usize): usize {
  const available = end - start
  if (available <= MINIMUM) return available
  const length = min(available, MAXIMUM)
  const normal = min(length, NORMAL)
  hash = 0
  let found = scan(start + MINIMUM, start + normal, STRICT_LIMIT)
  if (found == 0) found = scan(start + normal, start + length, RELAXED_LIMIT)
  return found == 0 ? length : found - start
}
