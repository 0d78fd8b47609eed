// A source plugin that makes up a tree: `files` files, a thousand to a folder, each of some hundred bytes of its own.
const filesPerFolder = 1000

function entryOf(kind, name, sizeBytes) {
  return {
    kind,
    name: Buffer.from(name),
    mode: kind === 'directory' ? 0o755 : 0o644,
    uid: 0,
    gid: 0,
    mtimeSeconds: 1_700_000_000,
    mtimeNanoseconds: 0,
    ctimeSeconds: 1_700_000_000,
    ctimeNanoseconds: 0,
    sizeBytes,
    inode: 0n,
    device: 1n,
    linkCount: 1,
    deviceMajor: 0,
    deviceMinor: 0,
  }
}

const root = entryOf('directory', '', 0)
const contentOf = (folder, file) => Buffer.from(`file ${file} of folder ${folder}\n`.repeat(8))

class Folder {
  self = root

  constructor(files, folder) {
    this.files = files
    this.folder = folder
  }

  list() {
    if (this.folder === undefined) {
      const folders = Math.ceil(this.files / filesPerFolder)
      return Array.from({ length: folders }, (_, n) => entryOf('directory', `d${n}`, 0))
    }
    const count = Math.min(filesPerFolder, this.files - this.folder * filesPerFolder)
    return Array.from({ length: count }, (_, n) => entryOf('file', `f${n}`, contentOf(this.folder, n).length))
  }

  describe() {
    return {}
  }

  openFile(entry) {
    const content = contentOf(this.folder, Number(Buffer.from(entry.name).toString().slice(1)))
    let at = 0
    return {
      extents: undefined,
      sizeBytes: content.length,
      read(into) {
        const count = content.copy(into, 0, at)
        at += count
        return count
      },
      close: () => 'stable',
    }
  }

  close() {}
}

export default {
  id: 'synthetic',
  openSource: ({ configuration: { files } }) => ({
    inspect: () => root,
    describe: () => ({}),
    openDirectory(path) {
      const folder = /\/d(\d+)$/.exec(Buffer.from(path).toString())?.[1]
      return new Folder(files, folder === undefined ? undefined : Number(folder))
    },
    close() {},
  }),
}
