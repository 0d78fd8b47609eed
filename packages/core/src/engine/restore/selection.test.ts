import { describe, expect, it } from 'vitest'
import { isCovered, Selection } from './selection.js'

const pathOf = (text: string) =>
  text
    .split('/')
    .filter((name) => name !== '')
    .map((name) => new Uint8Array(Buffer.from(name)))

describe('Selection', () => {
  it('wants everything without patterns', () => {
    expect(new Selection([], []).wants(pathOf('a/b'), false)).toBe(true)
  })

  it('wants what an include names, and every folder that may lead there', () => {
    const selection = new Selection(['*.jpg'], [])
    expect(selection.wants(pathOf('album/one.jpg'), false)).toBe(true)
    expect(selection.wants(pathOf('album/one.txt'), false)).toBe(false)
    expect(selection.wants(pathOf('album'), true)).toBe(true)
  })

  it('leaves what an exclude names, even when an include names it too', () => {
    const selection = new Selection(['*.jpg'], ['private/'])
    expect(selection.wants(pathOf('private'), true)).toBe(false)
    expect(selection.wants(pathOf('private/one.jpg'), false)).toBe(false)
    expect(selection.wants(pathOf('one.jpg'), false)).toBe(true)
  })
})

describe('isCovered', () => {
  const root = { prefix: pathOf('home'), backedUp: [pathOf('home/ann'), pathOf('etc')] }

  it('is true for what was backed up, and all below', () => {
    expect(isCovered(root, pathOf('ann'))).toBe(true)
    expect(isCovered(root, pathOf('ann/documents'))).toBe(true)
  })

  it('is false above it, beside it, and for a name that only begins alike', () => {
    expect(isCovered(root, [])).toBe(false)
    expect(isCovered(root, pathOf('bob'))).toBe(false)
    expect(isCovered(root, pathOf('anna'))).toBe(false)
    expect(isCovered(root, pathOf('etc'))).toBe(false)
  })
})
