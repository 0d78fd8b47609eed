import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { payloadOf } from './payload.js'

const abc = Buffer.from('abc')

describe('payloadOf', () => {
  it.each([
    ['crc32', { ChecksumCRC32: 'NSRBwg==' }],
    ['sha256', { ChecksumSHA256: createHash('sha256').update('abc').digest('base64') }],
    ['md5', { ContentMD5: 'kAFQmDzST7DWlj99KOF/cg==' }],
    ['none', {}],
  ] as const)('gives a body its %s, and never a second copy of its bytes', (checksums, fields) => {
    for (const isEncrypted of [true, false]) {
      const { Body, ContentLength, ...rest } = payloadOf(abc, checksums, isEncrypted)
      expect(rest).toEqual(fields)
      expect(ContentLength).toBe(3)
      expect(Body.buffer).toBe(abc.buffer)
      expect(Body.byteOffset).toBe(abc.byteOffset)
    }
  })
})
