import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { replaceFile } from './replace-file.js'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'bkp-replace-'))
})
afterEach(() => rmSync(root, { recursive: true }))

describe('a file that is replaced', () => {
  it.each([{}, { isDurable: false }])(
    'is the new one for its owner alone, in folders that are made: %j',
    async (how) => {
      const path = join(root, 'a', 'b', 'file')
      await replaceFile(path, 'old', how)
      await replaceFile(path, [Buffer.from('one '), Buffer.from('two')], how)
      expect(readFileSync(path, 'utf8')).toBe('one two')
      expect(statSync(path).mode & 0o777).toBe(0o600)
      expect(statSync(join(root, 'a')).mode & 0o777).toBe(0o700)
      expect(readdirSync(join(root, 'a', 'b'))).toEqual(['file'])
    },
  )

  it('is as it was, with nothing beside it, where it cannot be replaced', async () => {
    const path = join(root, 'folder')
    mkdirSync(join(path, 'something'), { recursive: true })
    await expect(replaceFile(path, 'new')).rejects.toMatchObject({ code: 'EISDIR' })
    expect(readdirSync(root)).toEqual(['folder'])
  })

  it('has one of the contents where several write at once', async () => {
    const path = join(root, 'file')
    const texts = Array.from({ length: 20 }, (_, n) => String(n).repeat(10_000))
    await Promise.all(texts.map((text) => replaceFile(path, text)))
    expect(texts).toContain(readFileSync(path, 'utf8'))
    expect(readdirSync(root)).toEqual(['file'])
  })

  it('says what the system says', async () => {
    writeFileSync(join(root, 'file'), '')
    await expect(replaceFile(join(root, 'file', 'below'), 'x')).rejects.toMatchObject({ code: 'EEXIST' })
  })
})
