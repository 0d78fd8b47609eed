import { createCipheriv } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { keystreamTwice } from './nonces.js'

const key = new Uint8Array(32).fill(7)
const zeros = new Uint8Array(1024)
const counted = (place: number) =>
  Array.from({ length: 40 }, (_, count) => {
    const nonce = new Uint8Array(12)
    nonce[place] = count
    return nonce
  })

/** AES in counter mode, which begins to count at `start`. */
const counterMode = (start: Uint8Array) => createCipheriv('aes-256-ctr', key, start).update(zeros)

describe('a keystream that is used twice', () => {
  it('is not found where the counter has its own bytes', () => {
    const sealed = (nonce: Uint8Array) => counterMode(Uint8Array.from([...nonce, 0, 0, 0, 0]))
    expect(keystreamTwice(sealed, [...counted(0), ...counted(11).slice(1)])).toBeUndefined()
  })

  it('is found where a byte of the nonce does not count', () => {
    const sealed = (nonce: Uint8Array) => counterMode(Uint8Array.from([...nonce.subarray(0, 11), 0, 0, 0, 0, 0]))
    expect(keystreamTwice(sealed, counted(11))).toContain('has the keystream of block 0 of nonce')
  })

  it('is found where the counter runs into the next nonce', () => {
    const sealed = (nonce: Uint8Array) => counterMode(Uint8Array.from([0, 0, 0, 0, ...nonce]))
    expect(keystreamTwice(sealed, counted(11))).toContain('has the keystream of block 1 of nonce')
  })
})
