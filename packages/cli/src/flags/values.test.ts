import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { UsageError } from '../errors/cli-error.js'
import { parseShare, parseSize, parseSnapshotPath, repositoryUrl, singleDestination } from './values.js'

describe('a size', () => {
  it.each([
    ['0', 0],
    ['500', 500],
    ['1K', 1024],
    ['1.5k', 1536],
    ['100M', 100 * 1024 ** 2],
    ['2GiB', 2 * 1024 ** 3],
    ['1TB', 1024 ** 4],
  ])('%s is %i bytes', (text, size) => expect(parseSize(text)).toBe(size))

  it.each(['', 'M', '-1', '1X', '1 M', '1e3', '99999999999T'])('is not %j', (text) => {
    expect(() => parseSize(text)).toThrow(UsageError)
  })

  it('is a number of whole bytes or refused, whatever is written', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          expect(Number.isSafeInteger(parseSize(text))).toBe(true)
        } catch (error) {
          expect(error).toBeInstanceOf(UsageError)
        }
      }),
    )
  })
})

describe('a share', () => {
  it('is given in percent', () => {
    expect(parseShare('10%')).toBe(0.1)
    expect(parseShare('100')).toBe(1)
    for (const text of ['0', '0%', '101%', 'all', '']) expect(() => parseShare(text)).toThrow(UsageError)
  })
})

describe('SNAP[:PATH]', () => {
  it('ends the snapshot at the first colon', () => {
    expect(parseSnapshotPath('latest')).toEqual({ snapshot: 'latest' })
    expect(parseSnapshotPath('1a2b:/home/a:b')).toEqual({ snapshot: '1a2b', path: Buffer.from('/home/a:b') })
  })

  it('needs both parts to make sense', () => {
    for (const text of ['', ':/home', 'latest:', 'latest:home'])
      expect(() => parseSnapshotPath(text)).toThrow(UsageError)
  })
})

describe('the place of a repository', () => {
  it('is made absolute when it is a path', () => {
    expect(repositoryUrl('backup')).toBe(`${process.cwd()}/backup`)
    expect(repositoryUrl('/mnt//disk/')).toBe('/mnt/disk')
    expect(repositoryUrl('file:///mnt/disk')).toBe('file:///mnt/disk')
    expect(repositoryUrl('s3://bucket/x')).toBe('s3://bucket/x')
  })

  it('holds no password, and the refusal does not show it', () => {
    const place = () => repositoryUrl('sftp://ann:hunter2@host/x')
    expect(place).toThrow(UsageError)
    expect(place).not.toThrow(/hunter2/)
    expect(repositoryUrl('sftp://ann@host:22/x')).toBe('sftp://ann@host:22/x')
  })

  it('is one: of --to, else of BKP_REPOSITORY', () => {
    const env = { BKP_REPOSITORY: '/a,b' }
    expect(singleDestination(['/mnt'], env)).toBe('/mnt')
    expect(singleDestination(undefined, env)).toBe('/a,b')
    expect(() => singleDestination(undefined, {})).toThrow('No repository is named')
    expect(() => singleDestination(['/a', '/b'], {})).toThrow('a later version')
  })
})
