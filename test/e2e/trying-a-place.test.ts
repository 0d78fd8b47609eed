import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { bkp, bkpJson } from '../support/run-bkp.js'

const work = mkdtempSync(join(tmpdir(), 'bkp-trying-'))
afterAll(() => rmSync(work, { recursive: true }))

describe('bkp destinations test of a folder', () => {
  it('makes none that is missing, as that of a disk that is not mounted is, and says what to do', async () => {
    const missing = join(work, 'not-mounted', 'backup')
    const { code, stdout } = await bkp(['destinations', 'test', '--to', missing])
    expect(code).toBe(1)
    expect(stdout).toContain(`There is no folder ${missing}`)
    expect(stdout).toContain('that the disk is mounted')
    expect(stdout).toContain(`bkp init --to ${missing}`)
    expect(readdirSync(work)).toEqual([])
  })

  it('leaves an empty one empty, and a repository as it was', async () => {
    const place = join(work, 'new')
    mkdirSync(place)
    const test = ['destinations', 'test', '--to', place]
    expect((await bkp(test)).code).toBe(0)
    expect(readdirSync(place)).toEqual([])
    await bkpJson(['init', '--to', place])
    const before = readdirSync(place)
    expect((await bkp(test)).code).toBe(0)
    expect(readdirSync(place)).toEqual(before)
  })
})
