import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Spool } from './spool.js'
import { objectOf } from './testing/replicas.js'

const { key, bytes } = objectOf('packs', 'a pack')
const name = key.slice('packs/aa/'.length)
let parent: string
let spool: Spool
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'bkp-spool-'))
  spool = new Spool({ directory: join(parent, 'run'), limitBytes: 1000 })
})
afterEach(async () => {
  await spool.close()
  rmSync(parent, { recursive: true, force: true })
})

describe('a spool', () => {
  it('gives back what it was given', async () => {
    await spool.keep(name, bytes)
    expect(Buffer.from(await spool.read(name, new Uint8Array(bytes.length)))).toEqual(bytes)
    await spool.letGo(name)
    expect(readdirSync(join(parent, 'run'))).toEqual([])
  })

  it('does not give other bytes for a pack than it was given', async () => {
    await spool.keep(name, bytes)
    const other = Buffer.from(bytes)
    other[0] = (other[0] ?? 0) ^ 1
    writeFileSync(join(parent, 'run', name), other)
    await expect(spool.read(name, new Uint8Array(bytes.length))).rejects.toMatchObject({ code: 'corrupt' })
  })

  it('does not take what was in the memory before for the rest of a pack that was cut', async () => {
    await spool.keep(name, bytes)
    writeFileSync(join(parent, 'run', name), bytes.subarray(0, 3))
    await expect(spool.read(name, Uint8Array.from(bytes))).rejects.toMatchObject({ code: 'corrupt' })
  })

  it('removes what a killed run left behind, and nothing of one that may live', async () => {
    const aged = (folder: string, hours: number) => {
      mkdirSync(join(parent, folder))
      writeFileSync(join(parent, folder, name), bytes)
      const time = Date.now() / 1000 - hours * 3600
      utimesSync(join(parent, folder), time, time)
    }
    aged('killed', 25)
    aged('slow', 20)
    await spool.keep(name, bytes)
    expect(readdirSync(parent).sort()).toEqual(['run', 'slow'])
  })
})
