import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeSnapshot, fromJsonBytes, parseSnapshot, rootTreeOf, toJsonBytes } from './snapshot.js'
import { damagedCopies, outcomeOf } from './testing/damage.js'
import { jsonBytes, vectors } from './testing/vectors.js'

const altered = (changes: Record<string, unknown>) => jsonBytes({ ...vectors.snapshot, ...changes })
const id = 'ab'.repeat(32)

describe('snapshots', () => {
  it('are read as they were written', () => {
    const snapshot = parseSnapshot(
      altered({
        tree: [id, 'cd'.repeat(32)],
        parent: id,
        issues: [{ path: toJsonBytes(Buffer.from('/a')), kind: 'unreadable', message: 'EACCES' }],
      }),
    )
    expect(parseSnapshot(encodeSnapshot(snapshot))).toEqual(snapshot)
    expect(Buffer.from(rootTreeOf(snapshot)).toString('hex')).toBe(id + 'cd'.repeat(32))
  })

  it('keep paths that are not UTF-8', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (path) => {
        expect(fromJsonBytes(toJsonBytes(path))).toEqual(path)
      }),
    )
  })

  it('of a later version ask for an upgrade', () => {
    expect(() => parseSnapshot(altered({ version: 2 }))).toThrow(expect.objectContaining({ code: 'unsupported' }))
  })

  it('tell what they are a copy of, and may have members that nobody knows', () => {
    const original = { repository: 'ab'.repeat(16), snapshot: id, program: 'bkp 0.1.0', later: true }
    expect(parseSnapshot(altered({ original, later: [] }))).toMatchObject({ original, later: [] })
    expect(parseSnapshot(altered({}))).not.toHaveProperty('original')
  })

  it('name plugins as far as their records are sound, and are read whatever stands there', () => {
    const plugin = { port: 'compression', id: 'brotli', package: 'bkp-codec-brotli', version: '1.2.3' }
    const read = parseSnapshot(altered({ plugins: [plugin, { ...plugin, package: '--yes' }] }))
    expect(read.plugins).toEqual([plugin])
    expect(parseSnapshot(encodeSnapshot(read))).toEqual(read)
    expect(parseSnapshot(altered({ plugins: 'none' })).plugins).toEqual([])
    expect(parseSnapshot(altered({}))).not.toHaveProperty('plugins')
  })

  it.each([
    ['no version', { version: undefined }],
    ['a time that is none', { time: 'today' }],
    ['no end', { finished: undefined }],
    ['no tree', { tree: [] }],
    ['a tree id that is cut short', { tree: ['ab'] }],
    ['a parent that is no id', { parent: 'latest' }],
    ['paths without their exact bytes', { paths: [{ text: '/' }] }],
    ['paths in no base64', { paths: [{ text: '/', base64: 'Lw' }] }],
    ['tags that are no texts', { tags: [1] }],
    ['figures that are no numbers', { stats: { files: '1' } }],
    ['figures in a list', { stats: [1] }],
    ['an original that is nowhere', { original: { repository: 'ab', snapshot: id, program: '' } }],
    ['issues without a path', { issues: [{ kind: 'unreadable', message: '' }] }],
  ])('with %s are damaged', (_what, changes) => {
    expect(() => parseSnapshot(altered(changes))).toThrow(expect.objectContaining({ code: 'damaged' }))
  })

  it('are read or refused after any damage, never anything else', () => {
    fc.assert(
      fc.property(damagedCopies(jsonBytes(vectors.snapshot)), (bytes) => {
        outcomeOf(() => parseSnapshot(bytes))
      }),
      { numRuns: 1000 },
    )
    fc.assert(
      fc.property(fc.json(), (json) => {
        expect(outcomeOf(() => parseSnapshot(Buffer.from(json)))).toBe('refused')
      }),
    )
  })
})
