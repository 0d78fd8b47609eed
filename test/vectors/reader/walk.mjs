import { createHash } from 'node:crypto'
import { damaged } from './bytes.mjs'
import { TYPE } from './repository.mjs'
import { dataIds, directory } from './trees.mjs'

const MAX_DEPTH = 16_384

/** All entries of a snapshot, directories before what they hold: `{ path, entry }`, paths as bytes without a leading `/`. */
export async function* walk(repository, trees, parent = [], above = []) {
  const here = trees.join()
  if (above.length > MAX_DEPTH || above.includes(here)) damaged(`tree ${trees[0]}`, 'is too deep, or inside itself')
  for (const entry of await directory(trees, (id) => repository.blob(id, TYPE.tree))) {
    const names = [...parent, entry.name]
    yield { path: joined(names), entry }
    if (entry.kind === 'directory' && entry.trees) yield* walk(repository, entry.trees, names, [...above, here])
  }
}

function joined(names) {
  return Buffer.concat(names.flatMap((name, i) => (i === 0 ? [name] : [Buffer.from('/'), name])))
}

/** The stored bytes of a file with their place in it: `{ offset, bytes }`; what no piece covers is a hole. */
export async function* pieces(repository, entry) {
  const extents = entry.extents ?? (entry.size > 0 ? [{ offset: 0, length: entry.size }] : [])
  const ids = entry.content ? dataIds(entry.content, (id) => repository.blob(id, TYPE.list)) : []
  const where = `file ${entry.name}`
  const last = extents.at(-1)
  if (last && last.offset + last.length > entry.size) damaged(where, 'an extent lies beyond its end')
  let next = 0
  let done = 0
  for await (const id of ids) {
    let bytes = await repository.blob(id, TYPE.data)
    while (bytes.length > 0) {
      const extent = extents[next]
      if (extent === undefined) return damaged(where, 'has more content than its size')
      const now = bytes.subarray(0, extent.length - done)
      yield { offset: extent.offset + done, bytes: now }
      bytes = bytes.subarray(now.length)
      done += now.length
      if (done === extent.length) {
        next++
        done = 0
      }
    }
  }
  if (next < extents.length) damaged(where, 'has less content than its size')
}

/** SHA-256 of a file as a program sees it: holes are zeros. */
export async function contentHash(repository, entry) {
  const hash = createHash('sha256')
  const zeros = Buffer.alloc(65_536)
  let at = 0
  const fill = (end) => {
    for (; at < end; at += Math.min(zeros.length, end - at)) hash.update(zeros.subarray(0, end - at))
  }
  for await (const { offset, bytes } of pieces(repository, entry)) {
    fill(offset)
    hash.update(bytes)
    at = offset + bytes.length
  }
  fill(entry.size)
  return hash.digest('hex')
}
