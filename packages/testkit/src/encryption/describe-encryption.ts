import type { Cipher, EncryptionModule } from '@bkp/plugin-api'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describeGoldenEncryption } from '../golden/golden-encryption.js'
import { growthDuring, memoryText, type ReportRow, speedText, tellReport, wantsReport } from '../report/report.js'
import { randomLikeBytes } from '../support/samples.js'
import { speedLine, speedOf, speedSizes } from '../support/speed.js'
import { describeForgery } from './forgery.js'
import { describeNonces } from './nonces.js'
import { describeSealing } from './sealing.js'

/** Everything in hexadecimal. Ciphers have no choice in what they write: sealing must give exactly this. */
export interface EncryptionVector {
  /** Where it comes from, e.g. `draft-irtf-cfrg-xchacha-03, A.3.1`. */
  readonly name: string
  readonly key: string
  readonly nonce: string
  readonly aad: string
  readonly plaintext: string
  /** Ciphertext, then the tag. */
  readonly sealed: string
}

/** How a cipher is tested. */
export interface EncryptionSuiteOptions {
  /** Shown beside the id, e.g. `without OpenSSL`. */
  readonly name?: string
  readonly configuration?: Readonly<Record<string, unknown>>
  /** At least one, from a specification. */
  readonly vectors: readonly EncryptionVector[]
  /**
   * A JSON file in the plugin's repository that pins what it seals for ever; see the same option of codecs. An update adds
   * what is missing and never changes what is there.
   */
  readonly golden?: URL
}

/** What the parts of the suite are given. */
export interface CipherUnderTest {
  readonly module: EncryptionModule
  /** The instance; only inside of tests. */
  readonly cipher: () => Cipher
}

/** The suite that every encryption plugin runs. Call it at the top level of a test file. */
export function describeEncryption(module: EncryptionModule, options: EncryptionSuiteOptions): void {
  const title = options.name === undefined ? module.id : `${module.id}, ${options.name}`
  describe(`encryption ${title}`, () => {
    let created: Cipher | undefined
    beforeAll(async () => {
      created = await module.create(options.configuration ?? {})
    })
    const cipher = (): Cipher => {
      if (created === undefined) throw new Error(`${module.id} could not be created`)
      return created
    }
    const tested: CipherUnderTest = { module, cipher }

    it('has an id that can be written on disk, and sizes that core can use', () => {
      expect(module.id).toMatch(/^[a-z0-9.-]{1,32}$/)
      expect(module.nonceBytes).toBeGreaterThanOrEqual(12)
      expect(module.nonceBytes).toBeLessThanOrEqual(32)
      expect(module.overheadBytes).toBeGreaterThanOrEqual(16)
    })

    describeVectors(options.vectors, cipher)
    describeSealing(tested)
    describeNonces(tested)
    describeForgery(tested)
    if (options.golden !== undefined) describeGoldenEncryption(options.golden, tested)
    afterAll(() => reportSpeed(title, tested))
  })
}

function describeVectors(vectors: readonly EncryptionVector[], cipher: () => Cipher): void {
  it('comes with bytes that pin the cipher', () => {
    expect(vectors.length).toBeGreaterThan(0)
  })

  it.each(vectors)('seals and opens $name', (vector) => {
    const [key, nonce, aad] = [bytes(vector.key), bytes(vector.nonce), bytes(vector.aad)]
    const sealed = new Uint8Array(bytes(vector.sealed).length)
    cipher().seal(key, nonce, aad, bytes(vector.plaintext), sealed)
    expect(Buffer.from(sealed).toString('hex')).toBe(vector.sealed)
    const plain = new Uint8Array(bytes(vector.plaintext).length)
    cipher().open(key, nonce, aad, sealed, plain)
    expect(Buffer.from(plain).toString('hex')).toBe(vector.plaintext)
  })
}

function bytes(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, 'hex'))
}

async function reportSpeed(title: string, { module, cipher }: CipherUnderTest): Promise<void> {
  const key = randomLikeBytes(32, 1)
  const nonce = randomLikeBytes(module.nonceBytes, 2)
  const aad = randomLikeBytes(64, 3)
  const lines: string[] = []
  const rows: ReportRow[] = []
  for (const [sizeName, sizeBytes] of Object.entries(speedSizes)) {
    const plain = randomLikeBytes(sizeBytes, 4)
    const sealed = new Uint8Array(sizeBytes + module.overheadBytes)
    const opened = new Uint8Array(sizeBytes)
    const speeds = { seal: 0, open: 0 }
    const growth = await growthDuring(() => {
      speeds.seal = speedOf(sizeBytes, () => cipher().seal(key, nonce, aad, plain, sealed))
      speeds.open = speedOf(sizeBytes, () => cipher().open(key, nonce, aad, sealed, opened))
    })
    lines.push(speedLine(title, sizeName, speeds))
    const [seal, open] = [speedText(speeds.seal), speedText(speeds.open)]
    rows.push({ what: sizeName, cells: { seal, open, memory: memoryText(growth) } })
  }
  if (wantsReport()) tellReport(`encryption ${title}`, rows)
  else console.info(lines.join('\n'))
}
