import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  fromHex,
  indexKey,
  objectNameOf,
  packKey,
  parseObjectKey,
  slotKey,
  snapshotKey,
  toHex,
  wordsOf,
} from './ids.js'

const name = objectNameOf(Buffer.from('abc'))

describe('object keys', () => {
  it('hold the SHA-256 of the content, as sha256sum prints it', () => {
    expect(name).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
    expect(packKey(name)).toBe(`packs/ba/${name}`)
  })

  it('are understood as they are made', () => {
    expect(parseObjectKey(packKey(name))).toEqual({ family: 'packs', name })
    expect(parseObjectKey(indexKey(name))).toEqual({ family: 'index', name })
    expect(parseObjectKey(snapshotKey(name))).toEqual({ family: 'snapshots', name })
    expect(parseObjectKey(slotKey(name))).toEqual({ family: 'keys', name })
    expect(parseObjectKey(`condemned/${name}`)).toEqual({ family: 'condemned', name })
    expect(parseObjectKey(`sessions/${name.slice(32)}`)).toEqual({ family: 'sessions', name: name.slice(32) })
  })

  it.each([
    'bkp.json',
    '',
    `packs/${name}`,
    `packs/00/${name}`,
    `packs/ba/${name}.tmp`,
    `index/${name.toUpperCase()}`,
    `index/${name}\n`,
    `x/index/${name}`,
    `sessions/${name}`,
    `snapshots/${name.slice(1)}`,
    `other/${name}`,
  ])('of somebody else (%j) are left alone', (key) => {
    expect(parseObjectKey(key)).toBeUndefined()
  })
})

describe('hex', () => {
  it('goes there and back', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(fromHex(toHex(bytes), bytes.length)).toEqual(bytes)
      }),
    )
  })

  it.each([['AB'], ['a'], ['abcd'], ['zz'], ['ab\n'], [1], [null], [undefined]])('refuses %j as one byte', (text) => {
    expect(fromHex(text, 1)).toBeUndefined()
  })
})

it('gives the words of ids in memory of their own', () => {
  const ids = Uint8Array.from({ length: 64 }, (_, n) => n)
  const words = wordsOf(ids.subarray(32))
  ids.fill(0)
  expect(words).toHaveLength(8)
  expect(words[0]).toBe(0x23222120)
})
