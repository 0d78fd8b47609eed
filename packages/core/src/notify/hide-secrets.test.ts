import { Secret } from '@bkp/plugin-api'
import { describe, expect, it } from 'vitest'
import { hideSecrets, secretsIn } from './hide-secrets.js'

describe('hiding secrets', () => {
  it('finds them as they are, in URLs and in JSON', () => {
    const secret = new Secret('päss "wörd"&more')
    const forms = [secret.reveal(), encodeURIComponent(secret.reveal()), JSON.stringify(secret.reveal())]
    expect(hideSecrets(forms, [secret])).toEqual(['[secret]', '[secret]', '"[secret]"'])
  })

  it('takes the longest first', () => {
    expect(hideSecrets('abcdefgh-ijkl', [new Secret('abcdefgh'), new Secret('abcdefgh-ijkl')])).toBe('[secret]')
  })

  it('leaves short ones, which would be found in words', () => {
    expect(hideSecrets('backup', [new Secret('back')])).toBe('backup')
  })

  it('leaves everything but texts as it is', () => {
    const value = { count: 7, nothing: null, list: [true, 'x'] }
    expect(hideSecrets(value, [new Secret('something')])).toEqual(value)
  })

  it('takes a secret with half a character', () => {
    expect(hideSecrets('x', [new Secret('12345678\ud800')])).toBe('x')
  })

  it('finds them in options at any depth', () => {
    const [a, b] = [new Secret('a'), new Secret('b')]
    expect(secretsIn({ a, deep: [{ b }], text: 'x' })).toEqual([a, b])
  })
})
