import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isBkpError } from '../errors/index.js'
import { formatRecoveryCode, generateRecoveryCode, parseRecoveryCode, recoveryBytes } from './recovery-code.js'
import { bytesOf, vectors } from './testing/vectors.js'

const { code } = vectors.recovery
const bytes = bytesOf(vectors.recovery.bytes)
const codes = fc.uint8Array({ minLength: recoveryBytes, maxLength: recoveryBytes })

describe('recovery codes', () => {
  it('are nine groups of four that give the same bytes again', () => {
    fc.assert(
      fc.property(codes, (random) => {
        const shown = formatRecoveryCode(random)
        expect(shown).toMatch(/^([0-9A-HJKMNP-TV-Z]{4}-){8}[0-9A-HJKMNP-TV-Z]{4}$/)
        expect(parseRecoveryCode(shown)).toEqual(random)
      }),
    )
  })

  it('are read as people type them', () => {
    const withoutHyphens = code.replaceAll('-', '')
    for (const typed of [
      code.toLowerCase(),
      withoutHyphens,
      `  ${code.replaceAll('-', ' ')}\n`,
      code.replaceAll('0', 'O').replaceAll('1', 'l'),
      code.replaceAll('0', 'o').replaceAll('1', 'I'),
    ]) {
      expect(parseRecoveryCode(typed)).toEqual(bytes)
    }
  })

  it('with any one character mistyped are refused as a typing error', () => {
    const symbols = code.replaceAll('-', '')
    // 20 check bits miss one error in a million; none of these is that one.
    for (let at = 0; at < symbols.length; at++) {
      const wrong = symbols[at] === 'Z' ? 'Y' : 'Z'
      expect(() => parseRecoveryCode(symbols.slice(0, at) + wrong + symbols.slice(at + 1))).toThrow(
        expect.objectContaining({ code: 'usage' }),
      )
    }
  })

  it('are refused with a reason that does not repeat them', () => {
    const longer = () => parseRecoveryCode(`${code}0`)
    expect(longer).toThrow('it has 37 characters instead of 36')
    expect(() => parseRecoveryCode(`${code.slice(0, -1)}U`)).toThrow('character 36 is not one that codes use')
    expect(() => parseRecoveryCode(`${code.slice(0, -2)}🔑`)).toThrow('is not one that codes use')
    expect(longer).not.toThrow(code.slice(0, 4))
  })

  it('are read or refused whatever is typed, never anything else', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (typed) => {
        try {
          expect(parseRecoveryCode(typed)).toHaveLength(recoveryBytes)
        } catch (error) {
          if (!isBkpError(error, 'usage')) throw error
        }
      }),
      { numRuns: 1000 },
    )
  })

  it('are random and not printed by accident', () => {
    const [first, second] = [generateRecoveryCode(), generateRecoveryCode()]
    expect(first.reveal()).not.toBe(second.reveal())
    expect(`${first}`).toBe('[secret]')
    expect(parseRecoveryCode(first.reveal())).toHaveLength(recoveryBytes)
  })
})
