import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { argon2idInJavaScript, argon2idNative, loadNative } from './argon2.js'
import {
  createPassphraseSlot,
  createRecoverySlot,
  type KeySlot,
  openSlot,
  parseSlot,
  secretOfPassphrase,
} from './key-slot.js'
import { damagedCopies, outcomeOf } from './testing/damage.js'
import { bytesOf, jsonBytes, vectors } from './testing/vectors.js'

const cheap = { memoryKiB: 64, passes: 1, lanes: 1 }
const masterKey = bytesOf(vectors.masterKey)
const slot = { repository: vectors.repository, masterKey, created: '2026-11-23T18:46:00.000Z' }

function parsed(bytes: Uint8Array): KeySlot {
  const known = parseSlot(bytes)
  if (known === undefined) throw new Error('the slot is of a known kind')
  return known
}

/** The golden slot with members replaced. */
function altered(changes: Record<string, unknown>, kdf: Record<string, unknown> = {}): Uint8Array {
  const { passphraseSlot } = vectors
  return jsonBytes({ ...passphraseSlot, kdf: { ...(passphraseSlot.kdf as object), ...kdf }, ...changes })
}

describe('key slots', () => {
  it('give the master key for their passphrase and for no other', async () => {
    const bytes = await createPassphraseSlot('Grüße', slot, cheap)
    const known = parsed(bytes)
    expect(known).toMatchObject({ kind: 'passphrase', repository: vectors.repository, label: 'passphrase' })
    expect(await openSlot(known, secretOfPassphrase('Gru\u0308ße'))).toEqual(masterKey)
    expect(await openSlot(known, secretOfPassphrase('Grusse'))).toBeUndefined()
    expect(await openSlot(known, secretOfPassphrase(''))).toBeUndefined()
  })

  it('give the master key for their recovery code and for no other', async () => {
    const code = bytesOf(vectors.recovery.bytes)
    const known = parsed(await createRecoverySlot(code, slot))
    expect(known.kind).toBe('recovery')
    expect(await openSlot(known, code)).toEqual(masterKey)
    expect(
      await openSlot(
        known,
        code.map((byte) => byte ^ 1),
      ),
    ).toBeUndefined()
  })

  it('never hold the master key, and are never the same twice', async () => {
    const [first, second] = [await createPassphraseSlot('a', slot, cheap), await createPassphraseSlot('a', slot, cheap)]
    expect(Buffer.from(first).toString()).not.toContain(vectors.masterKey)
    expect(first).not.toEqual(second)
  })

  it('do not open under another repository or as another kind', async () => {
    const known = parsed(await createPassphraseSlot('a', slot, cheap))
    const secret = secretOfPassphrase('a')
    expect(await openSlot({ ...known, repository: 'ff'.repeat(16) }, secret)).toBeUndefined()
    expect(await openSlot({ ...known, kind: 'recovery' }, secret)).toBeUndefined()
  })

  it('of a kind or version to come are skipped', () => {
    expect(parseSlot(altered({ kind: 'x25519' }))).toBeUndefined()
    expect(parseSlot(altered({ slot: 2 }))).toBeUndefined()
  })

  it.each([
    ['more memory than is sensible', altered({}, { memoryKiB: 4_194_305 })],
    ['less memory than its lanes need', altered({}, { memoryKiB: 15 })],
    ['too many passes', altered({}, { passes: 65 })],
    ['no passes', altered({}, { passes: 0 })],
    ['too many lanes', altered({}, { lanes: 17 })],
    ['half a pass', altered({}, { passes: 1.5 })],
    ['a salt of the wrong length', altered({}, { salt: '00' })],
    ['another derivation', altered({}, { name: 'scrypt' })],
    ['no derivation', altered({ kdf: null })],
    ['a nonce in capitals', altered({ nonce: 'AA'.repeat(12) })],
    ['a wrapped key that is cut short', altered({ wrapped: '00'.repeat(47) })],
    ['no repository', altered({ repository: undefined })],
    ['a label that steers the terminal', altered({ label: '\u001b[2J' })],
    ['no date', altered({ created: 'yesterday' })],
    ['no kind', altered({ kind: undefined })],
    ['an array', jsonBytes([])],
    ['no JSON', Buffer.from('{')],
    ['bytes that are not UTF-8', Buffer.from([0x7b, 0xff, 0x7d])],
    ['65 KiB', new Uint8Array(65 * 1024).fill(0x20)],
  ])('with %s are damaged', (_what, bytes) => {
    expect(() => parseSlot(bytes)).toThrow(expect.objectContaining({ code: 'damaged' }))
  })

  it('are read or refused after any damage, never anything else', () => {
    fc.assert(
      fc.property(damagedCopies(jsonBytes(vectors.passphraseSlot)), (bytes) => {
        outcomeOf(() => parseSlot(bytes))
      }),
      { numRuns: 1000 },
    )
  })
})

describe('Argon2id', () => {
  it('gives the same bytes natively and in JavaScript', async () => {
    const native = await loadNative()
    if (native === undefined) throw new Error('@node-rs/argon2 is a dependency of development')
    const salt = new Uint8Array(16).fill(9)
    for (const cost of [cheap, { memoryKiB: 128, passes: 3, lanes: 4 }, { memoryKiB: 1000, passes: 2, lanes: 3 }]) {
      for (const passphrase of ['', 'a', 'Grüße '.repeat(40)]) {
        const secret = secretOfPassphrase(passphrase)
        expect(await argon2idNative(native, secret, salt, cost)).toEqual(await argon2idInJavaScript(secret, salt, cost))
      }
    }
  })
})
