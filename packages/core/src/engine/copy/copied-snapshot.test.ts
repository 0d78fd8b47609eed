import { describe, expect, it } from 'vitest'
import { encodeSnapshot, parseSnapshot, type Snapshot, toJsonBytes } from '../../format/snapshot.js'
import type { StoredSnapshot } from '../../repository/snapshots.js'
import { byOrigin, describeCopy, nearestCopied, originOf } from './copied-snapshot.js'

const a = 'a0'.repeat(16)
const b = 'b0'.repeat(16)
const c = 'c0'.repeat(16)
const id = (n: number) => n.toString(16).padStart(64, '0')

function snapshot(n: number, changes: Partial<Snapshot> = {}): StoredSnapshot {
  const time = `2026-11-2${n}T18:46:00.000000000Z`
  return {
    id: id(n),
    snapshot: {
      version: 1,
      time,
      finished: time,
      hostname: 'nas',
      username: 'ann',
      program: 'bkp 0.0.9',
      source: 'fs',
      paths: [toJsonBytes(Buffer.from('/home/caf\xe9', 'latin1'))],
      tags: ['weekly'],
      excludes: ['*.tmp'],
      tree: ['11'.repeat(32)],
      parent: id(9),
      stats: { files: 3, errors: 1 },
      issues: [{ path: toJsonBytes(Buffer.from('/x')), kind: 'unreadable', message: 'EACCES' }],
      ...changes,
    },
  }
}

const inTarget = { tree: ['22'.repeat(32), '33'.repeat(32)], parent: id(77), program: 'bkp 0.1.0', plugins: [] }

describe('a copied snapshot', () => {
  it('keeps all but its tree and parent, and names its original', () => {
    const stored = snapshot(1)
    const copy = describeCopy(stored, { ...inTarget, repositoryId: a })
    expect(copy).toEqual({
      ...stored.snapshot,
      tree: inTarget.tree,
      parent: inTarget.parent,
      original: { repository: a, snapshot: stored.id, program: 'bkp 0.1.0' },
    })
    expect(parseSnapshot(encodeSnapshot(copy))).toEqual(copy)
  })

  it('keeps members that this version does not know', () => {
    const stored = snapshot(1, { comment: 'from a later version' } as Partial<Snapshot>)
    expect(describeCopy(stored, { ...inTarget, repositoryId: a })).toHaveProperty('comment', 'from a later version')
  })

  it('names the codecs of where it lies, and the source that was read', () => {
    const brotli = { port: 'compression', id: 'brotli', package: 'bkp-codec-brotli', version: '1.0.0' } as const
    const lzma = { ...brotli, id: 'lzma', package: 'bkp-codec-lzma' }
    const git = { ...brotli, port: 'source', id: 'git', package: 'bkp-source-git' } as const
    const stored = snapshot(1, { plugins: [brotli, git] })
    const describe = (plugins: Snapshot['plugins'] = []) =>
      describeCopy(stored, { ...inTarget, plugins, repositoryId: a }).plugins
    expect(describe([lzma])).toEqual([lzma, git])
    expect(describe()).toEqual([git])
  })

  it('of a copy has the origin of the first', () => {
    const first = snapshot(1)
    const second: StoredSnapshot = { id: id(2), snapshot: describeCopy(first, { ...inTarget, repositoryId: a }) }
    const third: StoredSnapshot = { id: id(3), snapshot: describeCopy(second, { ...inTarget, repositoryId: b }) }
    expect(third.snapshot.original).toMatchObject({ repository: a, snapshot: first.id })
    expect(originOf(c, third)).toBe(originOf(a, first))
    // Copied back to where it came from, it is there already.
    expect(byOrigin(a, [first]).has(originOf(c, third))).toBe(true)
    expect(byOrigin(b, [first]).has(originOf(c, third))).toBe(false)
  })
})

describe('what is learned from', () => {
  it('is the copied parent, else the newest before it of the same machine and paths, else any', () => {
    const other = { paths: [toJsonBytes(Buffer.from('/srv'))] }
    const copied = [snapshot(1), snapshot(2, other), snapshot(3), snapshot(4, { hostname: 'pc' }), snapshot(8)]
    const nearest = (stored: StoredSnapshot) => nearestCopied(stored, copied)?.id
    expect(nearest(snapshot(5, { parent: id(1) }))).toBe(id(1))
    expect(nearest(snapshot(5))).toBe(id(3))
    expect(nearest(snapshot(5, { ...other, parent: null }))).toBe(id(2))
    expect(nearest(snapshot(5, { hostname: 'new' }))).toBe(id(8))
    expect(nearestCopied(snapshot(5), [])).toBeUndefined()
  })
})
