/** @throws RangeError */
export function assertGear(gear: Uint32Array): void {
  if (gear.length !== 256) throw new RangeError(`A gear table has 256 words, not ${gear.length}`)
}

/**
 * WebAssembly would read whatever lies at a wrong address, so both chunkers look first.
 * @throws RangeError unless 0 ≤ start ≤ end ≤ size, all whole
 */
export function assertRange(start: number, end: number, size: number): void {
  if (!Number.isInteger(start) || !Number.isInteger(end) || start < 0 || start > end || end > size) {
    throw new RangeError(`${start} to ${end} is no range of a buffer of ${size} bytes`)
  }
}
