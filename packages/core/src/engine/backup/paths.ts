export function joinPath(directory: Uint8Array, name: Uint8Array): Uint8Array {
  const slash = directory[directory.length - 1] === 0x2f ? 0 : 1
  const path = new Uint8Array(directory.length + slash + name.length)
  path.set(directory)
  if (slash === 1) path[directory.length] = 0x2f
  path.set(name, directory.length + slash)
  return path
}

/** Bytes as text that can be a key of a map. */
export function latin1({ buffer, byteOffset, length }: Uint8Array): string {
  // Over the same memory: copies of so many short pieces would cost more than the text.
  return Buffer.from(buffer, byteOffset, length).toString('latin1')
}
