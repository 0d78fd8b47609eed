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
    expect(await spool.read(name)).toEqual(bytes)
    await spool.letGo(name)
    expect(readdirSync(join(parent, 'run'))).toEqual([])
  })

  it('does not give other bytes for a pack than it was given', async () => {
    await spool.keep(name, bytes)
    writeFileSync(join(parent, 'run', name), 'cut')
    await expect(spool.read(name)).rejects.toMatchObject({ code: 'corrupt' })
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
