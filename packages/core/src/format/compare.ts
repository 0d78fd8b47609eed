/**
 * The order of names: byte by byte, a shorter one before what it begins. For names, Buffer.compare takes several times as
 * long, since each call leaves JavaScript.
 */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length)
  for (let at = 0; at < length; at++) {
    const difference = (a[at] as number) - (b[at] as number)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}
