import { chmodSync, closeSync, ftruncateSync, linkSync, mkdirSync, openSync, symlinkSync, writeSync } from 'node:fs'
import { pieces, walk } from './walk.mjs'

async function writeFile(repository, entry, path) {
  const file = openSync(path, 'wx', 0o600)
  try {
    for await (const { offset, bytes } of pieces(repository, entry)) {
      for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at, bytes.length - at, offset + at)
    }
    ftruncateSync(file, entry.size)
  } finally {
    closeSync(file)
  }
}

/** Files, directories, symlinks and hard links with their permission bits; `out` must not exist yet. */
export async function restore(repository, snapshot, out) {
  mkdirSync(out, { mode: 0o700 })
  const directories = []
  const written = new Map()
  for await (const { path, entry } of walk(repository, snapshot.tree)) {
    const target = Buffer.concat([Buffer.from(`${out}/`), path])
    if (entry.kind === 'directory') {
      mkdirSync(target, { mode: 0o700 })
      directories.unshift({ target, mode: entry.mode })
      continue
    }
    const identity = entry.hardLink && `${entry.hardLink.device} ${entry.inode}`
    if (written.has(identity)) {
      linkSync(written.get(identity), target)
      continue
    }
    if (entry.kind === 'symlink') symlinkSync(entry.target, target)
    else if (entry.kind === 'file' && entry.error === undefined) {
      await writeFile(repository, entry, target)
      chmodSync(target, entry.mode)
    } else continue
    if (identity) written.set(identity, target)
  }
  // The deepest come first, and last of all: a directory may forbid to write into it.
  for (const { target, mode } of directories) chmodSync(target, mode)
}
