import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ownsMachine } from '../support/machine.js'
import { mountMemory, unmountAll } from '../support/mounts.js'
import { bkp, bkpJson } from '../support/run-bkp.js'

const work = mkdtempSync(join(tmpdir(), 'bkp-large-directory-'))
const source = join(work, 'source')
const repository = join(work, 'repository')
const count = 100_000
const nameOf = (n: number) => `${(n * 7919) % count}-entry`

beforeAll(async () => {
  // In memory: making and deleting that many files on a disk takes longer than all the rest.
  mountMemory(work, 1024)
  mkdirSync(source)
  for (let n = 0; n < count; n++) writeFileSync(join(source, nameOf(n)), n % 100 === 0 ? `content ${n}` : '')
  await bkpJson(['init', '--to', repository])
})
afterAll(() => {
  unmountAll()
  rmdirSync(work)
})

/** Every entry with its metadata: `diff -r` would open each of them, empty as most are. */
function inventoryOf(folder: string): string {
  const script = 'cd "$1" && find . -mindepth 1 -printf \'%f %s %T@ %m %U %G\\n\' | LC_ALL=C sort | sha256sum'
  return execFileSync('sh', ['-c', script, 'sh', folder], { encoding: 'utf8' })
}

describe.runIf(ownsMachine)(`a directory of ${count} entries`, () => {
  it('is backed up, listed and restored, entry by entry', async () => {
    const { stats } = await bkpJson(['backup', source, '--to', repository])
    expect(stats).toMatchObject({ files: count, errors: 0 })

    const ls = await bkp(['ls', 'latest', source, '--json', '--from', repository])
    expect(ls.code).toBe(0)
    const listed = ls.stdout.trimEnd().split('\n')
    const names = listed.map((line) => (JSON.parse(line) as { path: string }).path.slice(source.length + 1))
    expect(names.sort()).toEqual(readdirSync(source).sort())

    const target = join(work, 'target')
    await bkpJson(['restore', `latest:${source}`, '--from', repository, '--target', target])
    expect(inventoryOf(target)).toBe(inventoryOf(source))
    for (let n = 0; n < count; n += 100) expect(readFileSync(join(target, nameOf(n)), 'utf8')).toBe(`content ${n}`)
  })

  it('costs the next snapshot little when one entry is new', async () => {
    writeFileSync(join(source, `${count / 2}-new`), 'new')
    const { stats } = (await bkpJson(['backup', source, '--to', repository])) as unknown as {
      stats: { filesNew: number; filesUnchanged: number; newBytes: number }
    }
    expect(stats).toMatchObject({ filesNew: 1, filesUnchanged: count })
    // Its trees are cut where names say so: all but one or two are as they were.
    expect(stats.newBytes).toBeLessThan(1_000_000)
    expect(await bkpJson(['check', '--from', repository])).toMatchObject({ damages: [] })
  })
})
