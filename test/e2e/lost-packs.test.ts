import { mkdirSync, mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { filesIn } from '../support/damage-folder.js'
import { bkp } from '../support/run-bkp.js'
import { expectSameTree } from '../support/same-tree.js'
import { noise } from '../support/torture-tree.js'

let work: string
let source: string
const at = (name: string) => join(work, name)

beforeEach(() => {
  work = mkdtempSync(join(tmpdir(), 'bkp-lost-'))
  source = at('source')
  mkdirSync(join(source, 'folder'), { recursive: true })
  writeFileSync(join(source, 'folder', 'large'), noise(12_000_000, 1))
  writeFileSync(join(source, 'other'), noise(2_000_000, 2))
  writeFileSync(join(source, 'small'), 'a few bytes')
})
afterEach(() => rmSync(work, { recursive: true }))

const run = (...args: string[]) => bkp(args, { env: { BKP_CACHE_DIR: at('cache'), BKP_STATE_DIR: at('state') } })
const ok = async (...args: string[]) => {
  const result = await run(...args)
  expect(result, result.stderr).toMatchObject({ code: 0 })
  return result
}
const packsOf = (name: string) => filesIn(join(at(name), 'packs')).sort((a, b) => statSync(b).size - statSync(a).size)

async function expectRestored(place: string): Promise<void> {
  await ok('check', '--from', at(place), '--read-data')
  await ok('restore', `latest:${source}`, '--from', at(place), '--target', at('restored'))
  await expectSameTree(source, at('restored'))
}

describe('packs that are lost', () => {
  it.each<[string, (packs: string[]) => void]>([
    ['the largest is gone', ([largest]) => rmSync(largest as string)],
    ['the one of folders is gone', (packs) => rmSync(packs.at(-1) as string)],
    ['one is cut short', ([largest]) => truncateSync(largest as string, 100)],
    [
      'all are gone',
      (packs) => {
        for (const path of packs) rmSync(path)
      },
    ],
  ])('are made up for by the next run from the files, where %s', async (_, lose) => {
    await ok('init', '--to', at('one'))
    await ok('backup', source, '--to', at('one'))
    lose(packsOf('one'))
    expect((await run('check', '--from', at('one'))).code).toBe(13)
    const { stderr, stdout } = await ok('backup', source, '--to', at('one'))
    expect(stderr + stdout).toMatch(/packs? (is|are) lost or cut short/)
    await ok('restore', `latest:${source}`, '--from', at('one'), '--target', at('restored'))
    await expectSameTree(source, at('restored'))
  })

  it('leave no damage when all that was in them is stored again', async () => {
    await ok('init', '--to', at('one'))
    await ok('backup', source, '--to', at('one'))
    rmSync(packsOf('one')[0] as string)
    await ok('backup', source, '--to', at('one'))
    await expectRestored('one')
  })

  it('of one destination are given to it by the next run, from the others', async () => {
    await ok('init', '--to', at('one'), '--to', at('two'))
    await ok('backup', source, '--to', at('one'), '--to', at('two'))
    const [lost] = packsOf('one')
    const { size } = statSync(lost as string)
    rmSync(lost as string)
    const { stdout } = await ok('backup', source, '--to', at('one'), '--to', at('two'))
    expect(stdout).toContain('1 object of them from earlier runs')
    expect(statSync(lost as string).size).toBe(size)
    await expectRestored('one')
  })
})
