import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createDescriptor, encodeDescriptor, parseDescriptor, requireFeatures, verifyDescriptor } from './descriptor.js'
import { damagedCopies, outcomeOf } from './testing/damage.js'
import { bytesOf, jsonBytes, vectors } from './testing/vectors.js'

const key = bytesOf(vectors.keys.descriptor as string)
const created = '2026-11-23T18:46:00.000Z'
const descriptor = createDescriptor(vectors.repository, created, key)
const altered = (changes: Record<string, unknown>) => jsonBytes({ ...vectors.descriptor, ...changes })

describe('the descriptor', () => {
  it('is read as it was written, and its authentication code fits', () => {
    const read = parseDescriptor(encodeDescriptor(descriptor))
    expect(read).toEqual(descriptor)
    expect(() => verifyDescriptor(read, key)).not.toThrow()
  })

  it('does not verify after a change by somebody without the key', () => {
    const features = { read: [], write: ['later'], check: [] }
    for (const changed of [
      { ...descriptor, created: '2026-11-23T18:46:00.001Z' },
      { ...descriptor, repository: 'ff'.repeat(16) },
      { ...descriptor, features },
      { ...descriptor, mac: '00'.repeat(32) },
    ]) {
      expect(() => verifyDescriptor(parseDescriptor(encodeDescriptor(changed)), key)).toThrow('authentication code')
    }
    expect(() => verifyDescriptor(descriptor, new Uint8Array(32))).toThrow(expect.objectContaining({ code: 'damaged' }))
  })

  it('of another program is no repository', () => {
    expect(() => parseDescriptor(altered({ magic: 'other' }))).toThrow(
      expect.objectContaining({ code: 'no-repository' }),
    )
    expect(() => parseDescriptor(jsonBytes({}))).toThrow(expect.objectContaining({ code: 'no-repository' }))
  })

  it('of a later format asks for an upgrade and speaks of no damage', () => {
    const later = { code: 'unsupported', hint: 'Upgrade bkp; nothing is damaged' }
    expect(() => parseDescriptor(altered({ format: 2 }))).toThrow(expect.objectContaining(later))
    const read = parseDescriptor(jsonBytes(vectors.descriptor))
    expect(() => requireFeatures(read, 'write')).not.toThrow()
    expect(() => requireFeatures(read, 'read')).toThrow(expect.objectContaining(later))
    expect(() => requireFeatures(read, 'check')).toThrow('the feature "c" (to check)')
  })

  it.each([
    ['no format', altered({ format: undefined })],
    ['a short repository id', altered({ repository: 'ff' })],
    ['a repository id in capitals', altered({ repository: 'FF'.repeat(16) })],
    ['no authentication code', altered({ mac: undefined })],
    ['a date with a line break', altered({ created: `${created}\n` })],
    ['features that are no list', altered({ features: { read: 'x', write: [], check: [] } })],
    ['features of one operation missing', altered({ features: { read: [], write: [] } })],
    ['a feature with a comma in its name', altered({ features: { read: ['a,b'], write: [], check: [] } })],
    ['features that are null', altered({ features: null })],
    ['no JSON', Buffer.from('bkp')],
    ['65 KiB', new Uint8Array(65 * 1024).fill(0x20)],
  ])('with %s is damaged', (_what, bytes) => {
    expect(() => parseDescriptor(bytes)).toThrow(expect.objectContaining({ code: 'damaged' }))
  })

  it('is read or refused after any damage, never anything else', () => {
    fc.assert(
      fc.property(damagedCopies(encodeDescriptor(descriptor)), (bytes) => {
        outcomeOf(() => verifyDescriptor(parseDescriptor(bytes), key))
      }),
      { numRuns: 1000 },
    )
  })
})
