import { expectPortError } from '@bkp/testkit'
import { describe, expect, it } from 'vitest'
import { encodeName, isKey, parseLocation } from './names.js'

describe('the URL of a bucket', () => {
  it.each([
    ['b2://bucket', 'bucket', ''],
    ['b2://bucket/', 'bucket', ''],
    ['b2://My-Bucket/a', 'My-Bucket', 'a/'],
    ['b2://bucket/a/b c/ü/', 'bucket', 'a/b c/ü/'],
    ['b2://bucket//a', 'bucket', 'a/'],
    ['b2://bucket/100%25?#', 'bucket', '100%25?#/'],
  ])('%s means bucket %s and prefix "%s"', (url, bucket, prefix) => {
    expect(parseLocation(url)).toEqual({ bucket, prefix })
  })

  it.each([
    'b2://',
    'b2:///prefix',
    'b2://bu_cket/prefix',
    'b2://keyid:key@bucket/prefix',
    's3://bucket/prefix',
    'b2://bucket/a//b',
    'b2://bucket/a/../b',
    'b2://bucket/.',
    'b2://bucket/a\\b',
    'b2://bucket/a\nb',
    `b2://bucket/${'a'.repeat(251)}`,
    `b2://bucket/${'ü'.repeat(126)}`,
    `b2://bucket/${'a/'.repeat(260)}a`,
  ])('%j is refused', (url) => {
    expectPortError('config', () => parseLocation(url))
  })

  it('with a key in it is refused without a word of the key', () => {
    expect(() => parseLocation('b2://id:K005secret@bucket/prefix')).toThrow(/^(?!.*secret).*credentials/)
  })
})

describe('a file name', () => {
  it('is encoded but for its slashes', () => {
    expect(encodeName('a b/ü+%/c?#')).toBe('a%20b/%C3%BC%2B%25/c%3F%23')
  })

  it('is a key only if core could have made it', () => {
    for (const key of ['bkp.json', 'packs/ab/0f', '...', 'a-b_c']) expect(isKey(key)).toBe(true)
    for (const key of ['', '/', 'a/', '/a', 'a//b', '.', 'a/..', 'a b', 'ü', 'a'.repeat(129)])
      expect(isKey(key)).toBe(false)
  })
})
