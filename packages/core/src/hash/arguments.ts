export const keyBytes = 32
export const digestBytes = 32

const typeBytes: readonly Uint8Array[] = [Uint8Array.of(0), Uint8Array.of(1), Uint8Array.of(2)]

/** @throws RangeError */
export function copyOfKey(key: Uint8Array): Uint8Array {
  if (key.length !== keyBytes) throw new RangeError(`The key of a keyed hash has ${keyBytes} bytes, not ${key.length}`)
  return Uint8Array.from(key)
}

/** The byte that comes before the data. @throws RangeError */
export function typeByte(type: number): Uint8Array {
  const byte = typeBytes[type]
  if (byte === undefined) throw new RangeError(`There is no blob type ${type}`)
  return byte
}

/** @throws RangeError unless a digest fits into `out` at `outOffset` */
export function assertRoom(out: Uint8Array, outOffset: number): void {
  if (!Number.isInteger(outOffset) || outOffset < 0 || outOffset + digestBytes > out.length) {
    throw new RangeError(`No room for ${digestBytes} bytes at ${outOffset} of ${out.length}`)
  }
}
