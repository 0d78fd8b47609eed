import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Secret } from '@bkp/plugin-api'
import { InMemoryStorage } from '@bkp/testkit'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { objectNameOf, slotKey } from '../format/ids.js'
import { createPassphraseSlot, createRecoverySlot } from '../format/key-slot.js'
import { generateRecoveryCode, parseRecoveryCode } from '../format/recovery-code.js'
import { KeySlots } from './key-slots.js'
import type { UnlockSecret } from './opened-repository.js'
import { RememberedSlot } from './remembered-slot.js'

const repository = '00112233445566778899aabbccddeeff'
const masterKey = new Uint8Array(32).fill(7)
const cheap = { memoryKiB: 8, passes: 1, lanes: 1 }
const code = generateRecoveryCode()
const url = 'mem://here'
const about = { repository, masterKey, created: '2026-11-30T00:00:00.000Z' }

const passphrase = (text: string): UnlockSecret => ({ kind: 'passphrase', passphrase: new Secret(text) })
const slotOf = (text: string, of = about) => createPassphraseSlot(text, of, cheap)

let root: string
let storage: InMemoryStorage
let slot: Uint8Array

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'bkp-key-slots-'))
  storage = new InMemoryStorage()
  slot = new Uint8Array(await slotOf('right'))
  for (const bytes of [await slotOf('other'), slot, await createRecoverySlot(parseRecoveryCode(code.reveal()), about)])
    await storage.put(slotKey(objectNameOf(bytes)), bytes)
  vi.spyOn(storage, 'get')
})
afterEach(() => rmSync(root, { recursive: true }))

async function unlock(
  secret: UnlockSecret,
  remembered = new RememberedSlot(url, undefined, Date.now),
  id = repository,
) {
  const slots = new KeySlots(secret, remembered)
  return slots.unlock(await slots.list(storage), id, url)
}

const remember = async (bytes: Uint8Array) => new RememberedSlot(url, root, Date.now).keep(bytes)
const remembering = () => new RememberedSlot(url, root, Date.now)

describe('key slots', () => {
  it.each([passphrase('right'), { kind: 'recovery-code', code } as const])('open with a $kind', async (secret) => {
    expect((await unlock(secret)).masterKey).toEqual(masterKey)
  })

  it('do not open with another passphrase', async () => {
    await expect(unlock(passphrase('wrong'))).rejects.toMatchObject({ code: 'wrong-passphrase' })
  })

  it('say that the secret may be right, when only damaged ones are there', async () => {
    storage = new InMemoryStorage()
    const key = slotKey(objectNameOf(slot))
    await storage.put(key, slot.subarray(0, -5))
    await expect(unlock(passphrase('right'))).rejects.toMatchObject({ code: 'damaged' })
  })

  it('of another repository do not count', async () => {
    await expect(unlock(passphrase('right'), undefined, 'f'.repeat(32))).rejects.toMatchObject({ code: 'damaged' })
  })
})

describe('a remembered key slot', () => {
  it('is not read again, nor any other', async () => {
    await remember(slot)
    expect(await unlock(passphrase('right'), remembering())).toEqual({ masterKey, slot })
    expect(storage.get).not.toHaveBeenCalled()
  })

  it('gives way to the others, when the passphrase is that of another one', async () => {
    await remember(slot)
    expect((await unlock(passphrase('other'), remembering())).masterKey).toEqual(masterKey)
  })

  it('gives way to the others, when the secret is of another kind', async () => {
    await remember(slot)
    const unlocked = await unlock({ kind: 'recovery-code', code }, remembering())
    expect(unlocked.masterKey).toEqual(masterKey)
  })

  it('opens nothing any more, when the storage has it no longer', async () => {
    await remember(slot)
    await storage.remove(slotKey(objectNameOf(slot)))
    await expect(unlock(passphrase('right'), remembering())).rejects.toMatchObject({ code: 'wrong-passphrase' })
  })

  it('opens nothing where another repository has come to its place', async () => {
    const foreign = await slotOf('right', { ...about, repository: 'f'.repeat(32), masterKey: new Uint8Array(32) })
    await remember(foreign)
    expect((await unlock(passphrase('right'), remembering())).masterKey).toEqual(masterKey)
  })

  it.each([
    ['was cut short', (bytes: Uint8Array) => bytes.subarray(0, 20)],
    ['is empty', () => new Uint8Array(0)],
    ['was changed', (bytes: Uint8Array) => Buffer.from(Buffer.from(bytes).toString().replace('"slot":1', '"slot":2'))],
  ])('that %s is as good as none', async (_, damage) => {
    await remember(slot)
    const [name = ''] = readdirSync(join(root, 'key-slots'))
    writeFileSync(join(root, 'key-slots', name), damage(slot))
    expect((await unlock(passphrase('right'), remembering())).masterKey).toEqual(masterKey)
  })

  it('is written again only when it is another one', async () => {
    await remember(slot)
    const remembered = remembering()
    await remembered.read()
    rmSync(join(root, 'key-slots'), { recursive: true })
    await remembered.keep(slot)
    expect(readdirSync(root)).not.toContain('key-slots')
    await remembered.keep(await slotOf('other'))
    expect(readdirSync(root)).toContain('key-slots')
  })

  it('does not tell a wrong recovery code by an error that nobody catches', async () => {
    await remember(await createRecoverySlot(parseRecoveryCode(code.reveal()), about))
    const secret: UnlockSecret = { kind: 'recovery-code', code: new Secret('no code') }
    await expect(unlock(secret, remembering())).rejects.toThrow(/code/)
  })
})
