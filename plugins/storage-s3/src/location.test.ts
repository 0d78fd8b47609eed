import { expectPortError } from '@bkp/testkit'
import { describe, expect, it } from 'vitest'
import { isKey, parseLocation } from './location.js'

describe('parseLocation', () => {
  it.each([
    ['s3://bucket', 'bucket', ''],
    ['s3://bucket/', 'bucket', ''],
    ['S3://my.bucket-1/a', 'my.bucket-1', 'a/'],
    ['s3://bucket/a/b/', 'bucket', 'a/b/'],
    ['s3://bucket//a//b', 'bucket', 'a/b/'],
    ['s3://bucket/two%20words/50%25', 'bucket', 'two words/50%/'],
  ])('reads %s', (url, bucket, prefix) => expect(parseLocation(url)).toEqual({ bucket, prefix }))

  it.each([
    's3://',
    's3:bucket',
    's3:///prefix',
    's3://key:secret@bucket/prefix',
    's3://b',
    's3://bucket:9000/x',
    's3://bucket/a/../b',
    's3://bucket/%2e/b',
    's3://bucket/100%',
    's3://bucket?region=x',
    'https://bucket/x',
  ])('refuses %s', (url) => expectPortError('config', () => parseLocation(url)))

  it('repeats no secret', () => {
    expect(() => parseLocation('s3://key:hunter2@bucket')).toThrow(/^(?!.*hunter2)/)
  })
})

describe('isKey', () => {
  it.each(['bkp.json', 'packs/ab/x', '...'])('takes %s', (key) => expect(isKey(key)).toBe(true))
  it.each(['', 'packs/', '/x', 'a//b', '..', 'a/./b', 'ü', 'a b', 'x'.repeat(129)])('refuses "%s"', (key) =>
    expect(isKey(key)).toBe(false),
  )
})
