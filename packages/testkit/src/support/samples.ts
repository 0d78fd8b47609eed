/** Bytes that look random but are the same in every run. @param seed any whole number but 0 */
export function randomLikeBytes(sizeBytes: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(sizeBytes)
  // xorshift32, Marsaglia 2003.
  let state = seed | 0 || 1
  for (let at = 0; at < sizeBytes; at++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    bytes[at] = state >>> 11
  }
  return bytes
}

const words =
  'the backup of a folder with many files was made at night and restored in the morning from two disks'.split(' ')

/** Bytes that shrink about as well as text does, the same in every run. */
export function textLikeBytes(sizeBytes: number, seed = 1): Uint8Array {
  const choices = randomLikeBytes(Math.ceil(sizeBytes / 2) + 1, seed)
  const bytes = new Uint8Array(sizeBytes)
  const encoded = words.map((word) => Buffer.from(`${word} `))
  let at = 0
  for (const choice of choices) {
    if (at >= sizeBytes) break
    // One in eight is a number, so that it is no mere repetition.
    const word = choice % 8 === 0 ? Buffer.from(`${choice * 7919 + at} `) : encoded[(choice >> 3) % encoded.length]
    const piece = word?.subarray(0, sizeBytes - at) ?? new Uint8Array(0)
    bytes.set(piece, at)
    at += piece.length
  }
  return bytes
}

/** Memory with a margin on both sides, to see whether anything is written beyond the middle. */
export class GuardedBytes {
  /** What is handed out; begins at an odd offset. */
  readonly middle: Uint8Array
  readonly #all: Uint8Array

  constructor(sizeBytes: number) {
    this.#all = new Uint8Array(marginBytes + sizeBytes + marginBytes).fill(filler)
    this.middle = this.#all.subarray(marginBytes, marginBytes + sizeBytes)
  }

  /** Whether the margins are as they were. */
  get isIntact(): boolean {
    const before = this.#all.subarray(0, marginBytes)
    const after = this.#all.subarray(marginBytes + this.middle.length)
    return [before, after].every((margin) => margin.every((byte) => byte === filler))
  }
}

const marginBytes = 4099
const filler = 0xa5

/** A copy in memory that threads share, as core may pass it. */
export function inSharedMemory(bytes: Uint8Array): Uint8Array {
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length))
  shared.set(bytes)
  return shared
}

/** A copy with one bit flipped. @param bit counted from the first byte's lowest */
export function withFlippedBit(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = Uint8Array.from(bytes)
  const at = bit >> 3
  copy[at] = (copy[at] ?? 0) ^ (1 << (bit & 7))
  return copy
}
