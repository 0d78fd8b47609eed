import { PortError } from '@bkp/plugin-api'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type CipherInUse,
  headerBytes,
  newHeader,
  openObject,
  PartSealer,
  sealObject,
  trailerPosition,
} from './sealed-object.js'
import { aesGcm, transparent } from './testing/ciphers.js'
import { damagedCopies, outcomeOf } from './testing/damage.js'

const repository = '00112233445566778899aabbccddeeff'
const wrappingKey = new Uint8Array(32).fill(7)
const payload = Buffer.from('a payload')
const seal = (kind: 'snapshot' | 'session' = 'snapshot', bytes: Uint8Array = payload) =>
  sealObject(kind, repository, wrappingKey, aesGcm, bytes)
const open = (bytes: Uint8Array, kind: 'snapshot' | 'session' = 'snapshot', key = wrappingKey, id = repository) =>
  openObject(kind, id, key, () => aesGcm, bytes)

describe('sealed objects', () => {
  it('give back what was sealed, of any length', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5000 }), (bytes) => {
        const sealed = seal('snapshot', bytes)
        expect(sealed).toHaveLength(headerBytes + bytes.length + 16)
        expect(open(sealed)).toEqual(bytes)
      }),
      { numRuns: 50 },
    )
  })

  it('never look the same twice', () => {
    expect(seal()).not.toEqual(seal())
  })

  it('are refused at every length that is cut short', () => {
    const sealed = seal()
    for (let length = 0; length < sealed.length; length++) {
      expect(() => open(sealed.subarray(0, length))).toThrow(expect.objectContaining({ code: 'damaged' }))
    }
  })

  it('are refused with any bit changed', () => {
    const sealed = seal()
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const copy = sealed.slice()
      copy[bit >> 3] = (copy[bit >> 3] as number) ^ (1 << (bit & 7))
      expect(outcomeOf(() => open(copy))).toBe('refused')
    }
  })

  it('are refused as another kind, by another repository, and with another key', () => {
    const sealed = seal()
    expect(() => open(sealed, 'session')).toThrow('A snapshot stands where a session belongs')
    expect(() => open(sealed, 'snapshot', wrappingKey, 'ff'.repeat(16))).toThrow(
      `belongs to the repository ${repository}`,
    )
    expect(() => open(sealed, 'snapshot', new Uint8Array(32))).toThrow('written with other keys')
  })

  it('of a later version are not called damaged', () => {
    const sealed = seal()
    sealed[5] = 2
    expect(() => open(sealed)).toThrow(expect.objectContaining({ code: 'unsupported', hint: 'Upgrade bkp' }))
  })

  it('ask for the cipher that their header names', () => {
    const sealed = sealObject('index', repository, wrappingKey, transparent, payload)
    const asked: string[] = []
    const cipherFor = (id: string) => {
      asked.push(id)
      return transparent
    }
    expect(openObject('index', repository, wrappingKey, cipherFor, sealed)).toEqual(new Uint8Array(payload))
    expect(asked).toEqual(['transparent'])
  })

  it('ask for no cipher that somebody without the keys wrote there', () => {
    const sealed = seal()
    sealed.fill(0, 24, 56)
    sealed.set(Buffer.from('evil-cipher'), 24)
    const cipherFor = (id: string): CipherInUse => {
      throw new Error(`${id} was asked for`)
    }
    expect(() => openObject('snapshot', repository, wrappingKey, cipherFor, sealed)).toThrow(
      expect.objectContaining({ code: 'damaged' }),
    )
  })

  it('larger than the format allows are neither written nor read', () => {
    const large = new Uint8Array(64 * 1024)
    expect(() => seal('session', large)).toThrow(expect.objectContaining({ code: 'internal' }))
    expect(() => open(new Uint8Array(64 * 1024 + 1), 'session')).toThrow('larger than it can be')
    expect(open(seal('snapshot', large))).toEqual(large)
  })

  it('pass on an error of the cipher that is not about the bytes', () => {
    const failure = new PortError('unsupported', 'no such cipher here')
    const cipher: CipherInUse = {
      ...aesGcm,
      cipher: {
        ...aesGcm.cipher,
        open: () => {
          throw failure
        },
      },
    }
    expect(() => openObject('snapshot', repository, wrappingKey, () => cipher, seal())).toThrow(failure)
  })

  it('survive any damage with a clear refusal', () => {
    fc.assert(
      fc.property(damagedCopies(seal()), (bytes) => {
        outcomeOf(() => open(bytes))
      }),
    )
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        expect(outcomeOf(() => open(bytes))).toBe('refused')
      }),
    )
  })
})

describe('the parts of an object', () => {
  const { header, key } = newHeader('data-pack', repository, aesGcm.module.id, wrappingKey)

  it('open at their own position only', () => {
    const sealer = new PartSealer(aesGcm, key, header)
    const sealed = new Uint8Array(payload.length + 16)
    const plain = new Uint8Array(payload.length)
    fc.assert(
      fc.property(positions, positions, (position, other) => {
        sealer.seal(position, payload, sealed)
        sealer.open(position, sealed, plain)
        expect(plain).toEqual(new Uint8Array(payload))
        if (other !== position) expect(outcomeOf(() => sealer.open(other, sealed, plain))).toBe('refused')
      }),
    )
  })

  it('of another object do not open', () => {
    const other = newHeader('data-pack', repository, aesGcm.module.id, wrappingKey)
    const sealed = new Uint8Array(payload.length + 16)
    new PartSealer(aesGcm, key, header).seal(128, payload, sealed)
    expect(outcomeOf(() => new PartSealer(aesGcm, other.key, other.header).open(128, sealed, new Uint8Array(9)))).toBe(
      'refused',
    )
  })

  it('are sealed with the position as nonce and behind the header as associated data', () => {
    const seen: { nonce: Buffer; aad: Buffer }[] = []
    const spy: CipherInUse = {
      module: { ...aesGcm.module, nonceBytes: 24 },
      cipher: {
        ...transparent.cipher,
        seal: (_key, nonce, aad) => seen.push({ nonce: Buffer.from(nonce), aad: Buffer.from(aad) }),
      },
    }
    const sealer = new PartSealer(spy, key, header)
    sealer.seal(0x1_0203_0405, payload, new Uint8Array(25))
    sealer.seal(trailerPosition, payload, new Uint8Array(25))
    expect(seen.map(({ nonce }) => nonce.toString('hex'))).toEqual([
      `0504030201000000${'00'.repeat(16)}`,
      `ffffffffffffffff${'00'.repeat(16)}`,
    ])
    expect(seen.map(({ aad }) => aad.subarray(56).toString('hex'))).toEqual(['0504030201000000', 'ffffffffffffffff'])
    expect(seen[0]?.aad.subarray(0, 56)).toEqual(Buffer.from(header.subarray(0, 56)))
  })
})

const positions = fc.oneof(fc.nat(), fc.constant(trailerPosition), fc.integer({ min: 2 ** 32, max: 2 ** 40 }))
