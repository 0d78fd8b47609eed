import type { FileReader } from '@bkp/plugin-api'
import { expectPortError } from '@bkp/testkit'
import { describe, expect, it } from 'vitest'
import { SingleFileSource } from './single-file-source.js'

const path = Buffer.from('/naïve.sql')
const reader: FileReader = { extents: undefined, sizeBytes: 0, read: () => 0, close: () => 'stable' }
const nowMs = Date.UTC(2026, 10, 23, 18, 46, 0, 123)

describe('SingleFileSource', () => {
  it('is one file of now, of a size that nobody knows, for its owner alone', () => {
    const entry = new SingleFileSource('naïve.sql', () => reader, nowMs).inspect(path)
    expect(Buffer.from(entry.name).toString()).toBe('naïve.sql')
    expect(entry).toMatchObject({
      kind: 'file',
      mode: 0o600,
      sizeBytes: 0,
      mtimeSeconds: Math.floor(nowMs / 1000),
      mtimeNanoseconds: 123_000_000,
    })
  })

  it('starts reading when it is opened, and only once', () => {
    let started = 0
    const start = () => {
      started++
      return reader
    }
    const source = new SingleFileSource('naïve.sql', start, nowMs)
    const entry = source.inspect(path)
    expect(started).toBe(0)
    source.openFile(path, entry)
    expectPortError('config', () => source.openFile(path, entry))
    expect(started).toBe(1)
  })

  it('cannot be read from the middle', () => {
    const source = new SingleFileSource('naïve.sql', () => reader, nowMs)
    expectPortError('unsupported', () => source.openFile(path, source.inspect(path), { offset: 1, length: 1 }))
  })
})
