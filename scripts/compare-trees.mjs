// Compares two folders: names, kinds, modes, times of files, link targets, and every byte.
import { closeSync, lstatSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs'
import { join } from 'node:path'

const pieceBytes = 1024 * 1024

export function compareTrees(a, b) {
  const differences = []
  let compared = 0
  const pending = ['']
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    const [namesA, namesB] = [a, b].map((root) => readdirSync(join(root, path)).sort())
    for (const name of namesB) if (!namesA.includes(name)) differences.push(`${join(path, name)}: only in the copy`)
    const there = new Set(namesB)
    for (const name of namesA) {
      const inner = join(path, name)
      const stats = lstatSync(join(a, inner))
      if (stats.isSocket()) continue
      compared++
      if (!there.has(name)) {
        differences.push(`${inner}: missing`)
        continue
      }
      const difference = differenceOf(join(a, inner), join(b, inner))
      if (difference !== undefined) differences.push(`${inner}: ${difference}`)
      else if (stats.isDirectory()) pending.push(inner)
    }
  }
  return { compared, differences }
}

function differenceOf(a, b) {
  const [x, y] = [lstatSync(a), lstatSync(b)]
  if ((x.mode & 0o170000) !== (y.mode & 0o170000)) return 'another kind'
  if (x.isSymbolicLink()) return readlinkSync(a) === readlinkSync(b) ? undefined : 'another link target'
  if (x.mode !== y.mode) return `mode ${y.mode.toString(8)} instead of ${x.mode.toString(8)}`
  if (!x.isFile()) return undefined
  // To the millisecond: without koffi Node cannot set nanoseconds.
  if (Math.abs(x.mtimeMs - y.mtimeMs) > 1) return 'another time of change'
  if (x.size !== y.size) return `${y.size} bytes instead of ${x.size}`
  return haveSameBytes(a, b) ? undefined : 'other content'
}

function haveSameBytes(a, b) {
  const files = [openSync(a), openSync(b)]
  try {
    const [left, right] = [Buffer.alloc(pieceBytes), Buffer.alloc(pieceBytes)]
    for (;;) {
      const [countA, countB] = [readSync(files[0], left), readSync(files[1], right)]
      if (countA !== countB || left.compare(right, 0, countB, 0, countA) !== 0) return false
      if (countA === 0) return true
    }
  } finally {
    for (const file of files) closeSync(file)
  }
}
