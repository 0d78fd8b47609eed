import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { filesIn } from '../support/damage-folder.js'
import { ownsMachine } from '../support/machine.js'
import { mountMemory, unmountAll, unmountInUse } from '../support/mounts.js'
import { type CheckReport, expectNoBreakdown, reportOf } from '../support/outcomes.js'
import { bkp, bkpJson, type Ran } from '../support/run-bkp.js'
import { expectSameTree } from '../support/same-tree.js'
import { noise } from '../support/torture-tree.js'

interface Outcome {
  readonly name: string
  readonly state: string
  readonly message?: string
}

let work: string
const at = (...names: string[]) => join(work, ...names)
const disk = () => at('disk', 'repository')
const others = () => [at('second'), at('third')]
const places = () => [disk(), ...others()]
const each = (flag: string, all: readonly string[]) => all.flatMap((place) => [flag, place])
const packsIn = (repository: string) => filesIn(repository).filter((path) => path.includes('/packs/')).length

beforeEach(() => {
  work = mkdtempSync(join(tmpdir(), 'bkp-vanishing-'))
  for (const name of ['source', 'disk']) mkdirSync(at(name))
  for (let n = 0; n < 30; n++) writeFileSync(at('source', `file ${n}`), noise(2_000_000, n + 1))
})
afterEach(() => {
  unmountAll()
  rmSync(work, { recursive: true, force: true })
})

/** A backup to all three, slow enough to have its near disk taken away when that has the first packs, before it has the last. */
async function backupWhile(takeAway: () => void): Promise<Ran> {
  await bkpJson(['init', ...each('--to', places())])
  let taking: Promise<number> | undefined
  const ran = await bkp(['backup', at('source'), ...each('--to', places()), '--limit-upload', '12M', '--json'], {
    onStart: (child) => {
      taking = (async () => {
        while (packsIn(disk()) === 0 && child.exitCode === null) await sleep(20)
        const packs = packsIn(disk())
        takeAway()
        return packs
      })()
    },
  })
  expect(await taking).toBeGreaterThan(0)
  return ran
}

async function expectOthersComplete(ran: Ran): Promise<void> {
  const { destinations } = reportOf<{ destinations: Outcome[] }>(ran, 4)
  expect(destinations.map(({ name, state }) => ({ name, state }))).toEqual([
    { name: disk(), state: 'lagging' },
    ...others().map((name) => ({ name, state: 'complete' })),
  ])
  for (const place of others()) {
    const check = await bkp(['check', '--read-data', '--from', place, '--json'])
    expect(reportOf<CheckReport>(check, 0).damages).toEqual([])
    const target = at('restored')
    await bkpJson(['restore', `latest:${at('source')}`, '--from', place, '--target', target])
    expectSameTree(at('source'), target)
    rmSync(target, { recursive: true })
  }
}

describe('the near disk of three, taken away in the middle of a backup', () => {
  it('lags behind when its folder is gone, which is not made again; back, the next run completes it', async () => {
    await expectOthersComplete(await backupWhile(() => renameSync(disk(), at('away'))))
    expect(readdirSync(at('disk'))).toEqual([])
    renameSync(at('away'), disk())
    await bkpJson(['backup', at('source'), ...each('--to', places())])
    const check = await bkp(['check', '--read-data', '--from', disk(), '--json'])
    expect(reportOf<CheckReport>(check, 0).damages).toEqual([])
  })

  it('lags behind when an empty folder is in its place, in which nothing is stored', async () => {
    const ran = await backupWhile(() => {
      renameSync(disk(), at('away'))
      mkdirSync(disk())
    })
    await expectOthersComplete(ran)
    expect(filesIn(disk())).toEqual([])
  })

  it.runIf(ownsMachine)('lags behind when it is unmounted, and its mount point stays empty', async () => {
    mountMemory(at('disk'), 200)
    const ran = await backupWhile(() => unmountInUse(at('disk')))
    expectNoBreakdown(ran)
    await expectOthersComplete(ran)
    expect(readdirSync(at('disk'))).toEqual([])
  })
})
