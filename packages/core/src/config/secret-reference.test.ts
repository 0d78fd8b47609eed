import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { literalText, parseSecretReference, shownSecret } from './secret-reference.js'

describe('the text of a secret', () => {
  it.each([
    ['env:NAME', { kind: 'env', name: 'NAME' }],
    ['file:~/.secret', { kind: 'file', path: '~/.secret' }],
    ['command:pass show bkp', { kind: 'command', command: 'pass show bkp' }],
    ['keychain:bkp/ann/x', { kind: 'keychain', service: 'bkp', account: 'ann/x' }],
    ['literal:env:NAME', { kind: 'literal', value: 'env:NAME' }],
    ['hunter2', { kind: 'literal', value: 'hunter2' }],
  ])('%s is read', (text, reference) => expect(parseSecretReference(text)).toEqual(reference))

  it.each(['env:', 'env:no name', 'file: ', 'keychain:bkp', 'keychain:/x', 'keychain:bkp/'])(
    '%j is refused',
    (text) => {
      expect(parseSecretReference(text)).toBeTypeOf('string')
    },
  )

  it('of any secret comes back as that secret, and is not shown', () => {
    fc.assert(
      fc.property(fc.string(), (value) => {
        expect(parseSecretReference(literalText(value))).toEqual({ kind: 'literal', value })
        expect(shownSecret(literalText(value))).toBe('[secret]')
      }),
    )
    expect(shownSecret('env:X')).toBe('env:X')
  })
})
