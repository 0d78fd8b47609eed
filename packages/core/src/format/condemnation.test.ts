import { describe, expect, it } from 'vitest'
import { encodeCondemnation, parseCondemnation } from './condemnation.js'
import { jsonBytes } from './testing/vectors.js'

const condemnation = { time: '2026-11-23T18:46:00.000Z', packs: ['ab'.repeat(32), 'cd'.repeat(32)] }

describe('condemnations', () => {
  it('are read as they were written', () => {
    expect(parseCondemnation(encodeCondemnation(condemnation))).toEqual(condemnation)
  })

  it('of a later version stop a writer, who cannot know what they say', () => {
    const later = jsonBytes({ ...condemnation, version: 2 })
    expect(() => parseCondemnation(later)).toThrow(expect.objectContaining({ code: 'unsupported' }))
  })

  it.each([
    ['no version', { version: undefined }],
    ['no time', { time: undefined }],
    ['no packs', { packs: undefined }],
    ['a pack that is no name', { packs: ['ab'] }],
  ])('with %s are damaged', (_what, changes) => {
    const payload = jsonBytes({ version: 1, ...condemnation, ...changes })
    expect(() => parseCondemnation(payload)).toThrow(expect.objectContaining({ code: 'damaged' }))
  })
})
