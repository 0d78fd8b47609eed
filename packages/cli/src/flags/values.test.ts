import { describe, expect, it } from 'vitest'
import { UsageError } from '../errors/cli-error.js'
import { parseShare, parseSize, parseSnapshotPath, repositoryUrl } from './values.js'

describe('a size', () => {
  it('is refused when it is none', async () => {
    expect(await parseSize('1.5k')).toBe(1536)
    await expect(parseSize('big')).rejects.toThrow(UsageError)
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
    expect(parseSnapshotPath('latest:web://a/b')).toEqual({ snapshot: 'latest', path: Buffer.from('/web:/a/b') })
  })

  it('needs both parts to make sense', () => {
    for (const text of ['', ':/home', 'latest:', 'latest:home'])
      expect(() => parseSnapshotPath(text)).toThrow(UsageError)
  })

  it('says how the own home folder is written', () => {
    expect(() => parseSnapshotPath('latest:~/documents')).toThrow(
      expect.objectContaining({ hint: expect.stringContaining('Write latest:$HOME/documents') }),
    )
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
})
