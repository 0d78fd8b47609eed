export function joinPath(directory: Uint8Array, name: Uint8Array): Uint8Array {
  const slash = directory[directory.length - 1] === 0x2f ? 0 : 1
  const path = new Uint8Array(directory.length + slash + name.length)
  path.set(directory)
  if (slash === 1) path[directory.length] = 0x2f
  path.set(name, directory.length + slash)
  return path
}
