import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { bkp } from '../support/run-bkp.js'

let work: string
let disks: readonly [string, string, string]
const at = (...names: string[]) => join(work, ...names)
const each = (flag: string, places: readonly string[]) => places.flatMap((place) => [flag, place])

beforeEach(async () => {
  work = mkdtempSync(join(tmpdir(), 'bkp-leftovers-'))
  disks = [at('a'), at('b'), at('c')]
  mkdirSync(at('source'))
  writeFileSync(at('source', 'file'), 'content')
  expect((await bkp(['init', ...each('--to', disks)])).code).toBe(0)
  expect((await bkp(['backup', at('source'), ...each('--to', disks)])).code).toBe(0)
})
afterEach(() => rmSync(work, { recursive: true, force: true }))

it.each([
  ['lags', () => rmSync(at('b', 'snapshots'), { recursive: true }), 13],
  ['is fine while another is away', () => renameSync(at('c'), at('away')), 4],
])('packs that nothing names are not called harmless at a destination that %s', async (_, damage, code) => {
  damage()
  const name = 'ab'.repeat(32)
  for (const disk of disks.filter((place) => existsSync(place))) {
    mkdirSync(join(disk, 'packs', 'ab'), { recursive: true })
    writeFileSync(join(disk, 'packs', 'ab', name), 'left over')
  }
  const ran = await bkp(['check', ...each('--from', disks)])
  expect(ran.code).toBe(code)
  const [, behind = ''] = ran.stdout.split(`${at('b')}:\n`)
  const [told] = behind.split(`${at('c')}:\n`)
  expect(told).toContain('must not be deleted')
  expect(told).not.toContain('harmless')
})
