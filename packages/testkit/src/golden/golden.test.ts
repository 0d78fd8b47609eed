import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { extended } from './golden-compression.js'
import { bytesOf, readGolden, writeGolden } from './golden-file.js'

const plain = { base64: 'YWI=', times: 3 }
const old = [{ name: 'text', plain, compressed: 'AAAA' }]
let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bkp-golden-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

describe('a golden file', () => {
  it('gives back what was written', () => {
    const file = pathToFileURL(join(folder, 'golden.json'))
    expect(readGolden(file, 'compression', 'x')).toBeUndefined()
    const golden = { bkpGolden: 1, port: 'compression', id: 'x', vectors: old } as const
    writeGolden(file, golden)
    expect(readGolden(file, 'compression', 'x')).toEqual(golden)
    expect(Buffer.from(bytesOf(plain)).toString()).toBe('ababab')
  })

  it('of another plugin is refused', () => {
    const file = pathToFileURL(join(folder, 'golden.json'))
    writeGolden(file, { bkpGolden: 1, port: 'compression', id: 'x', vectors: old })
    expect(() => readGolden(file, 'compression', 'y')).toThrow('belongs to the compression "x"')
    expect(() => readGolden(file, 'encryption', 'x')).toThrow('not to the encryption "x"')
  })

  it('keeps what older versions wrote when it is updated, and adds only other bytes', () => {
    expect(extended(old, [{ name: 'text', plain, compressed: 'AAAA' }])).toEqual(old)
    const twice = extended(old, [{ name: 'text', plain, compressed: 'BBBB' }])
    expect(twice).toEqual([...old, { name: 'text, 2', plain, compressed: 'BBBB' }])
    expect(extended(twice, [{ name: 'text', plain, compressed: 'BBBB' }])).toEqual(twice)
  })
})
