import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expectNoBreakdown } from '../../support/outcomes.js'
import { bkp, bkpJson } from '../../support/run-bkp.js'

const work = mkdtempSync(join(tmpdir(), 'bkp-hostile-races-'))
const source = join(work, 'source')
const repository = join(work, 'repository')
const canary = join(work, 'canary')
const rounds = 20
const folders = 12

function stateOf(folder: string): unknown {
  const { mode, mtimeNs, ctimeNs } = lstatSync(folder, { bigint: true })
  const files = readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')])
  return { mode, mtimeNs, ctimeNs, files }
}

beforeAll(async () => {
  mkdirSync(canary)
  writeFileSync(join(canary, 'file-0'), 'canary')
  for (let folder = 0; folder < folders; folder++) {
    mkdirSync(join(source, `folder-${folder}`, 'inner'), { recursive: true })
    for (let file = 0; file < 10; file++) {
      writeFileSync(join(source, `folder-${folder}`, `file-${file}`), `from the snapshot ${folder} ${file}`)
      writeFileSync(join(source, `folder-${folder}`, 'inner', `file-${file}`), `inner ${folder} ${file}`)
    }
  }
  await bkpJson(['init', '--to', repository])
  await bkpJson(['backup', source, '--to', repository])
})
afterAll(() => rmSync(work, { recursive: true, force: true }))

/** Puts symlinks in the place of folders with some entries in them, as soon as it sees them, until told to stop. */
async function swapFolders(target: string, entries: number, isOver: () => boolean): Promise<number> {
  let swaps = 0
  while (!isOver()) {
    for (let folder = 0; folder < folders; folder++) {
      const place = join(target, `folder-${folder}`, ...(folder % 2 === 0 ? [] : ['inner']))
      try {
        if (lstatSync(place).isSymbolicLink() || readdirSync(place).length < entries) continue
        renameSync(place, join(target, `aside-${swaps}`))
        symlinkSync(canary, place)
        swaps++
      } catch (error) {
        // Not made yet, or made again between the two calls.
        const { code } = error as NodeJS.ErrnoException
        if (code !== 'ENOENT' && code !== 'EEXIST') throw error
      }
    }
    await setImmediate()
  }
  return swaps
}

describe('a restore whose folders are swapped for symlinks while it runs', () => {
  it.each([
    ['koffi', {}],
    ['without koffi', { BKP_NO_KOFFI: '1' }],
  ] as const)(`never writes through one, in ${rounds / 2} rounds %s`, async (_, env) => {
    const before = stateOf(canary)
    const round = async (number: number): Promise<number> => {
      const target = join(work, `target-${number}-${'BKP_NO_KOFFI' in env}`)
      mkdirSync(target)
      let isOver = false
      const restoring = bkp(['restore', `latest:${source}`, '--from', repository, '--target', target, '--verify'], {
        env,
      }).finally(() => {
        isOver = true
      })
      const [ran, swaps] = await Promise.all([restoring, swapFolders(target, number % 6, () => isOver)])
      expectNoBreakdown(ran)
      // What could not be written is named; what was swapped after it was done is no business of the restore.
      expect([0, 3]).toContain(ran.code)
      if (ran.code === 3) expect(ran.stderr).toMatch(/folder-\d+.*: \w+/)
      expect(stateOf(canary)).toEqual(before)
      return swaps
    }
    let swaps = 0
    for (let number = 0; number < rounds / 2; number += 2)
      for (const swapped of await Promise.all([round(number), round(number + 1)])) swaps += swapped
    expect(swaps).toBeGreaterThan(rounds)
  })
})
