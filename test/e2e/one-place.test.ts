import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { filesIn } from '../support/damage-folder.js'
import { reportOf } from '../support/outcomes.js'
import { bkp } from '../support/run-bkp.js'

let work: string
const at = (...names: string[]) => join(work, ...names)
const each = (flag: string, places: readonly string[]) => places.flatMap((place) => [flag, place])
const backup = (...places: readonly string[]) => bkp(['backup', at('source'), ...each('--to', places), '--json'])

beforeEach(() => {
  work = mkdtempSync(join(tmpdir(), 'bkp-one-place-'))
  for (const name of ['source', 'disk', 'other']) mkdirSync(at(name))
  writeFileSync(at('source', 'file'), 'content')
  symlinkSync(at('disk'), at('link'))
})
afterEach(() => rmSync(work, { recursive: true, force: true }))

describe('one place under two names', () => {
  it('is refused by backups, of several destinations too, and nothing is stored', async () => {
    expect((await bkp(['init', ...each('--to', [at('disk'), at('other')])])).code).toBe(0)
    const before = filesIn(work)
    const ran = await backup(at('disk'), at('other'), at('link'))
    expect(ran.code).toBe(2)
    const { error } = JSON.parse(ran.stdout) as { error: { message: string; hint: string } }
    expect(error.message).toContain(`${at('disk')} and ${at('link')} are the same place`)
    expect(filesIn(work)).toEqual(before)
    const sound = reportOf<{ destinations: { state: string }[] }>(await backup(at('disk'), at('other')), 0)
    expect(sound.destinations.map(({ state }) => state)).toEqual(['complete', 'complete'])
  })

  it('is one destination where the names are the same path', async () => {
    expect((await bkp(['init', '--to', at('disk')])).code).toBe(0)
    const ran = reportOf<{ destinations: unknown[] }>(
      await backup(at('disk'), `${at('disk')}/`, at('other', '..', 'disk')),
      0,
    )
    expect(ran.destinations).toHaveLength(1)
  })

  it('is not brought up from itself by sync', async () => {
    expect((await bkp(['init', '--to', at('disk')])).code).toBe(0)
    const before = filesIn(work)
    const ran = await bkp(['sync', '--from', at('disk'), ...each('--to', [at('other'), at('link')])])
    expect(ran.code).toBe(2)
    expect(ran.stderr).toContain(`${at('link')} and ${at('disk')} are the same place`)
    expect(filesIn(work)).toEqual(before)
  })

  it('gets no repository by init', async () => {
    const ran = await bkp(['init', ...each('--to', [at('disk'), at('link')])])
    expect(ran.code).toBe(2)
    expect(ran.stderr).toContain(`${at('disk')} and ${at('link')} are the same place`)
    expect(filesIn(at('disk'))).toEqual([])
    expect(readdirSync(work).sort()).toEqual(['disk', 'link', 'other', 'source'])
  })
})
