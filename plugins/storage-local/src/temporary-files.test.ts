import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { temporaryName } from './temporary-files.js'
import { openFolder } from './testing/open-folder.js'
import { filesBelow, withFolder } from './testing/temporary-folder.js'

const [machine = '', , random = ''] = temporaryName().slice('@tmp/'.length).split('-')
const deadPid = spawnSync('true').pid
const dayMs = 24 * 60 * 60_000

/** What is left of a temporary file after the folder was opened. */
async function isKept(name: string, ageMs: number): Promise<boolean> {
  let kept = false
  await withFolder(async (root) => {
    mkdirSync(join(root, '@tmp'))
    const path = join(root, '@tmp', name)
    writeFileSync(path, 'half of an obj')
    const changed = new Date(Date.now() - ageMs)
    utimesSync(path, changed, changed)
    writeFileSync(join(root, 'bkp.json'), 'an object that is old')
    utimesSync(join(root, 'bkp.json'), new Date(0), new Date(0))
    const storage = await openFolder(root)
    kept = existsSync(path)
    expect(filesBelow(root)).toContain('bkp.json')
    for await (const { key } of storage.list('')) expect(key).toBe('bkp.json')
  })
  return kept
}

describe('temporary files that opening finds', () => {
  it('have names that tell machine and process, each another', () => {
    expect(temporaryName()).toMatch(new RegExp(`^@tmp/[0-9a-f]{12}-${process.pid}-[0-9a-f]{16}$`))
    expect(temporaryName()).not.toBe(temporaryName())
  })

  it('are removed when their process on this machine is dead', async () => {
    expect(await isKept(`${machine}-${deadPid}-${random}`, 0)).toBe(false)
  })

  it.each([process.pid, process.ppid, 1])('stay while their process on this machine lives', async (pid) => {
    expect(await isKept(`${machine}-${pid}-${random}`, 0)).toBe(true)
  })

  it('of another machine stay for a day, whatever their process is called', async () => {
    expect(await isKept(`000000000000-${deadPid}-${random}`, dayMs - 60_000)).toBe(true)
    expect(await isKept(`000000000000-${deadPid}-${random}`, dayMs + 60_000)).toBe(false)
  })

  it('with names of others stay for a day', async () => {
    expect(await isKept('notes', 0)).toBe(true)
    expect(await isKept('notes', dayMs + 60_000)).toBe(false)
  })
})
