import fc from 'fast-check'
import { isBkpError } from '../../errors/index.js'

/** What a parser may do with bytes from a storage: give a value, or say that they are damaged or too new. */
export function outcomeOf(parse: () => unknown): 'sound' | 'refused' {
  try {
    parse()
    return 'sound'
  } catch (error) {
    if (isBkpError(error, 'damaged') || isBkpError(error, 'unsupported') || isBkpError(error, 'no-repository'))
      return 'refused'
    throw error
  }
}

/** Copies of `bytes` with something wrong: bits flipped, words replaced by awkward numbers, pieces cut out or put in. */
export function damagedCopies(bytes: Uint8Array): fc.Arbitrary<Uint8Array> {
  const place = fc.nat(Math.max(0, bytes.length - 1))
  const change = fc.oneof(
    fc.tuple(place, fc.nat(7)).map(([at, bit]) => flip(at, bit)),
    fc
      .tuple(place, fc.constantFrom(0, 1, 2, 47, 48, 0x7fffffff, 0x80000000, 0xffffffff))
      .map(([at, word]) => put(at, word)),
    fc.tuple(place, fc.nat(64)).map(([at, count]) => cut(at, count)),
    fc.tuple(place, fc.uint8Array({ maxLength: 64 })).map(([at, more]) => insert(at, more)),
  )
  return fc
    .array(change, { minLength: 1, maxLength: 4 })
    .map((changes) => changes.reduce((copy, apply) => apply(copy), bytes))
}

type Change = (bytes: Uint8Array) => Uint8Array

function flip(at: number, bit: number): Change {
  return (bytes) => bytes.map((byte, n) => (n === at ? byte ^ (1 << bit) : byte))
}

function put(at: number, word: number): Change {
  return (bytes) => {
    const copy = bytes.slice()
    if (at + 4 <= copy.length) new DataView(copy.buffer).setUint32(at, word, true)
    return copy
  }
}

function cut(at: number, count: number): Change {
  return (bytes) => Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at + count)])
}

function insert(at: number, more: Uint8Array): Change {
  return (bytes) => Uint8Array.from([...bytes.subarray(0, at), ...more, ...bytes.subarray(at)])
}
