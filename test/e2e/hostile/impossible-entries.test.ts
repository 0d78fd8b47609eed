import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ForgedEntry } from '../../support/forged-entry.js'
import { type ForgedRepository, Forger } from '../../support/forged-repository.js'
import { type RestoreReport, reportOf } from '../../support/outcomes.js'
import { bkp } from '../../support/run-bkp.js'

const work = mkdtempSync(join(tmpdir(), 'bkp-hostile-impossible-'))
let forger: Forger

beforeAll(async () => {
  forger = await Forger.create(join(work, 'template'))
})
afterAll(() => rmSync(work, { recursive: true, force: true }))

function restore(forged: ForgedRepository) {
  const target = `${forged.directory}-target`
  return bkp(['restore', 'latest', '--from', forged.directory, '--target', target, '--json'])
}

/** Legal in the format, and more than this system takes. */
const impossible: readonly ForgedEntry[] = [
  { name: 'hole-of-8-PiB', sizeBytes: 2n ** 53n - 1n, extents: [] },
  { kind: 'symlink', name: 'link-of-100000', linkTarget: 'x'.repeat(100_000) },
  { kind: 'symlink', name: 'link-to-nothing', linkTarget: '' },
  { kind: 'symlink', name: 'link-with-nul', linkTarget: 'a\0b' },
  { name: 'n'.repeat(65_535) },
]

describe('an entry that this system cannot make', () => {
  it('is an issue of its own: the others are restored', async () => {
    const forged = forger.repository(join(work, 'impossible'))
    forged.commit([forged.file('a-sound', 'sound'), ...impossible, forged.file('z-sound', 'sound')])
    const { issues } = reportOf<RestoreReport>(await restore(forged), 3)
    const named = issues.filter(({ kind }) => kind === 'unreadable').map(({ path }) => path.slice(1))
    expect(named.sort()).toEqual(impossible.map(({ name }) => name).sort())
    const target = `${forged.directory}-target`
    expect(readdirSync(target).sort()).toEqual(['a-sound', 'z-sound'])
    for (const name of ['a-sound', 'z-sound']) expect(readFileSync(join(target, name), 'utf8')).toBe('sound')
  })
})

describe('a chunk that lies in two packs, one of them gone', () => {
  it.each(['first', 'second'])('the %s: comes back whole from the other', async (gone) => {
    const forged = forger.repository(join(work, `twice-${gone}`))
    const file = forged.file('file', 'content')
    const at = forged.cut('data')
    const copy = forged.packs[at]
    if (copy === undefined) throw new Error('There is no pack to copy')
    const missing = { ...copy, name: 'ab'.repeat(32) }
    forged.packs.splice(at, 1, ...(gone === 'first' ? [missing, copy] : [copy, missing]))
    forged.commit([file])
    expect(reportOf<RestoreReport>(await restore(forged), 0).issues).toEqual([])
    expect(readFileSync(join(`${forged.directory}-target`, 'file'), 'utf8')).toBe('content')
  })
})
