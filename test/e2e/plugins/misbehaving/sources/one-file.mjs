const entry = (kind, name, sizeBytes) => ({
  kind,
  name: Buffer.from(name),
  mode: 0o644,
  uid: 0,
  gid: 0,
  mtimeSeconds: 1,
  mtimeNanoseconds: 0,
  ctimeSeconds: 1,
  ctimeNanoseconds: 0,
  sizeBytes,
  inode: 0n,
  device: 0n,
  linkCount: 1,
  deviceMajor: 0,
  deviceMinor: 0,
})
const size = 100_000

/**
 * A folder with one file.
 * @param before is called before each call that can be done wrong, and may return a promise
 */
export function oneFile(before) {
  const openFile = () => {
    let left = size
    return {
      extents: undefined,
      sizeBytes: size,
      async read(into) {
        await before('read')
        const count = Math.min(left, into.length)
        into.fill(7, 0, count)
        left -= count
        return count
      },
      close: () => 'stable',
    }
  }
  return {
    inspect: () => entry('directory', '', 0),
    describe: () => ({}),
    openFile,
    openDirectory: () => ({
      self: entry('directory', '', 0),
      async list() {
        await before('list')
        return [entry('file', 'file', size)]
      },
      describe: () => ({}),
      openFile,
      close() {},
    }),
    close() {},
  }
}
