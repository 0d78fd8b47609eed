import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { cutInHalf, filesIn, flipBit } from '../support/damage-folder.js'
import { expectNoBreakdown, reportOf } from '../support/outcomes.js'
import { bkp, passphrase } from '../support/run-bkp.js'
import { noise } from '../support/torture-tree.js'

interface Outcome {
  readonly name: string
  readonly state: 'complete' | 'lagging'
  readonly storedBytes: number
  readonly caughtUpObjects: number
  readonly message?: string
}

let work: string
let disks: readonly [string, string, string]
const at = (...names: string[]) => join(work, ...names)
const each = (flag: string, places: readonly string[]) => places.flatMap((place) => [flag, place])

beforeEach(async () => {
  work = mkdtempSync(join(tmpdir(), 'bkp-destinations-'))
  disks = [at('a'), at('b'), at('c')]
  mkdirSync(at('source', 'folder'), { recursive: true })
  for (let n = 0; n < 12; n++) writeFileSync(at('source', 'folder', `file ${n}`), noise(700_000, n + 1))
  expect((await bkp(['init', ...each('--to', disks)])).code).toBe(0)
})
afterEach(() => rmSync(work, { recursive: true, force: true }))

const backup = (places: readonly string[], ...more: string[]) =>
  bkp(['backup', at('source'), ...each('--to', places), ...more, '--json'])

/** What a disk holds, without the leases of writers. */
function objectsOf(disk: string): string[] {
  return filesIn(disk)
    .map((path) => path.slice(disk.length + 1))
    .filter((key) => !key.startsWith('sessions/'))
}

async function expectRestorable(...places: string[]): Promise<void> {
  const target = at('restored')
  rmSync(target, { recursive: true, force: true })
  const ran = await bkp(['restore', `latest:${at('source')}`, ...each('--from', places), '--target', target, '--json'])
  expect(reportOf<{ damaged: number }>(ran, 0).damaged).toBe(0)
  for (const path of filesIn(at('source'))) {
    const name = path.slice(at('source').length)
    expect(filesIn(target).map((restored) => restored.slice(target.length))).toContain(name)
  }
}

describe('a backup to several destinations', () => {
  it('stores the same objects on each, and each can be used alone', async () => {
    const { destinations } = reportOf<{ destinations: Outcome[] }>(await backup(disks), 0)
    expect(destinations.map(({ state }) => state)).toEqual(['complete', 'complete', 'complete'])
    expect(new Set(destinations.map(({ storedBytes }) => storedBytes)).size).toBe(1)
    expect(objectsOf(disks[1])).toEqual(objectsOf(disks[0]))
    expect(objectsOf(disks[2])).toEqual(objectsOf(disks[0]))
    for (const disk of disks) {
      expect((await bkp(['check', '--read-data', '--from', disk])).code).toBe(0)
      await expectRestorable(disk)
    }
  })

  it('ends with 4 when one is not there, and the next run brings that up without reading the sources', async () => {
    renameSync(disks[1], at('away'))
    const first = reportOf<{ destinations: Outcome[] }>(await backup(disks), 4)
    expect(first.destinations.find(({ name }) => name === disks[1])).toMatchObject({ state: 'lagging' })
    renameSync(at('away'), disks[1])
    // Nothing can be read again: what the laggard is given can only come from the others.
    for (let n = 0; n < 12; n++) rmSync(at('source', 'folder', `file ${n}`))
    const second = reportOf<{ destinations: Outcome[] }>(await backup(disks), 0)
    const broughtUp = second.destinations.find(({ name }) => name === disks[1])
    expect(broughtUp).toMatchObject({ state: 'complete' })
    expect(broughtUp?.caughtUpObjects).toBeGreaterThan(1)
    expect(objectsOf(disks[1])).toEqual(objectsOf(disks[0]))
    expect((await bkp(['check', '--read-data', '--from', disks[1]])).code).toBe(0)
  })

  it('never fills a place where a disk should be', async () => {
    renameSync(disks[2], at('away'))
    mkdirSync(disks[2])
    reportOf(await backup(disks), 4)
    expect(readdirSync(disks[2])).toEqual([])
  })

  it('refuses destinations of different repositories before anything is written', async () => {
    const other = at('other')
    expect((await bkp(['init', '--to', other])).code).toBe(0)
    const before = objectsOf(other)
    const ran = await bkp(['backup', at('source'), '--to', disks[0], '--to', other])
    expectNoBreakdown(ran)
    expect(ran.code).toBe(2)
    expect(ran.stderr).toContain('bkp copy')
    expect(objectsOf(other)).toEqual(before)
  })

  it('creates nothing when one of the places has a repository', async () => {
    const ran = await bkp(['init', '--to', at('new'), '--to', disks[0]])
    expect(ran.code).toBe(11)
    expect(objectsOf(at('new'))).toEqual([])
  })

  it('is a success with as many destinations as the configuration requires', async () => {
    const config = at('config.yaml')
    const places = Object.fromEntries(disks.map((disk, n) => [`disk${n}`, { url: disk }]))
    const written = { version: 1, repositories: { home: { destinations: places, require: 2 } } }
    writeFileSync(config, JSON.stringify(written))
    renameSync(disks[1], at('away'))
    const run = () => bkp(['backup', at('source'), '--to', 'home', '--config', config, '--json'])
    reportOf(await run(), 0)
    renameSync(disks[2], at('away2'))
    reportOf(await run(), 4)
  })

  it('can be killed at any moment: what is listed is complete everywhere, and the next run makes all equal', async () => {
    for (const delayMs of [300, 500, 700, 900]) {
      writeFileSync(at('source', `more ${delayMs}`), noise(6_000_000, delayMs))
      await bkp(['backup', at('source'), ...each('--to', disks)], {
        onStart: (child) => void sleep(delayMs).then(() => child.kill('SIGKILL')),
      })
      for (const disk of disks) expect((await bkp(['check', '--read-data', '--from', disk])).code).toBe(0)
    }
    reportOf(await backup(disks), 0)
    for (const disk of disks) {
      expect((await bkp(['check', '--read-data', '--from', disk])).code).toBe(0)
      await expectRestorable(disk)
    }
    expect(
      reportOf<{ destinations: { objects: number }[] }>(
        await bkp(['sync', ...each('--from', disks), '--dry-run', '--json']),
        0,
      ).destinations.map(({ objects }) => objects),
    ).toEqual([0, 0, 0])
  })
})

describe('damage at one destination', () => {
  beforeEach(async () => {
    reportOf(await backup(disks), 0)
  })

  it('does not hinder a restore, which reads elsewhere and says so', async () => {
    for (const [n, path] of filesIn(join(disks[0], 'packs')).entries()) {
      if (n % 3 === 0) flipBit(path)
      else if (n % 3 === 1) cutInHalf(path)
      else rmSync(path)
    }
    const target = at('restored')
    const ran = await bkp(['restore', 'latest', ...each('--from', disks), '--target', target, '--json'])
    const report = reportOf<{ damaged: number; fallOvers: { from: string; to: string }[] }>(ran, 0)
    expect(report.damaged).toBe(0)
    expect(report.fallOvers.map(({ from }) => from)).toContain(disks[0])
    expect(filesIn(target)).toHaveLength(12)
  })

  it('is found, located and healed from the others', async () => {
    const [first, second] = filesIn(join(disks[0], 'packs'))
    if (first === undefined || second === undefined) throw new Error('There are packs')
    flipBit(first)
    rmSync(second)
    for (const path of filesIn(join(disks[1], 'snapshots'))) rmSync(path)
    for (const path of filesIn(join(disks[1], 'index'))) flipBit(path)
    const check = (...more: string[]) => bkp(['check', '--read-data', ...each('--from', disks), ...more, '--json'])
    const found = reportOf<{ damages: { destination: string; key: string; intactAt?: string }[] }>(await check(), 13)
    const keyOf = (path: string, disk: string) => path.slice(disk.length + 1)
    const damaged = (disk: string) => found.damages.filter(({ destination }) => destination === disk)
    expect(
      damaged(disks[0])
        .map(({ key }) => key)
        .sort(),
    ).toEqual([keyOf(first, disks[0]), keyOf(second, disks[0])].sort())
    expect(damaged(disks[1]).length).toBeGreaterThanOrEqual(2)
    expect(damaged(disks[2])).toEqual([])
    for (const { intactAt } of damaged(disks[0])) expect([disks[1], disks[2]]).toContain(intactAt)
    const healed = reportOf<{ healed: { destination: string }[]; damages: unknown[] }>(await check('--heal'), 0)
    expect(healed.damages).toEqual([])
    expect(healed.healed.length).toBeGreaterThanOrEqual(4)
    reportOf(await check(), 0)
    for (const disk of disks) await expectRestorable(disk)
  })

  it.each(['damaged', 'gone'])('of an index, %s, is healed, and hides no damage of the packs it names', async (how) => {
    const keyOf = (path: string) => path.slice(disks[1].length + 1)
    const segments = filesIn(join(disks[1], 'index'))
    for (const path of segments) how === 'gone' ? rmSync(path) : flipBit(path)
    const [pack = ''] = filesIn(join(disks[1], 'packs'))
    flipBit(pack)
    const check = (...more: string[]) => bkp(['check', '--read-data', ...each('--from', disks), ...more, '--json'])
    const found = reportOf<{ damages: { key: string; intactAt?: string }[] }>(await check(), 13)
    expect(found.damages.map(({ key }) => key).sort()).toEqual([...segments, pack].map(keyOf).sort())
    for (const { intactAt } of found.damages) expect(intactAt).toBe(disks[0])
    expect(reportOf<{ damages: unknown[] }>(await check('--heal'), 0).damages).toEqual([])
    reportOf(await check(), 0)
    await expectRestorable(disks[1])
  })

  it.each(['damaged', 'gone'])(
    'of a descriptor, %s, is healed, and the destination checked like the others',
    async (how) => {
      const descriptor = join(disks[1], 'bkp.json')
      const sound = readFileSync(descriptor)
      if (how === 'gone') rmSync(descriptor)
      else writeFileSync(descriptor, sound.subarray(0, 60))
      const check = (...more: string[]) => bkp(['check', ...each('--from', disks), ...more, '--json'])
      reportOf(await check(), how === 'gone' ? 4 : 13)
      const { healed, damages } = reportOf<{ healed: object[]; damages: unknown[] }>(await check('--heal'), 0)
      expect(damages).toEqual([])
      expect(healed).toMatchObject([{ destination: disks[1], key: 'bkp.json' }])
      expect(readFileSync(descriptor)).toEqual(sound)
      await expectRestorable(disks[1])
    },
  )

  it('of a descriptor is not healed where another repository, or none, has been', async () => {
    const empty = at('empty')
    mkdirSync(empty)
    const other = at('other')
    expect((await bkp(['init', '--to', other])).code).toBe(0)
    rmSync(join(other, 'bkp.json'))
    const places = each('--from', [disks[0], empty, other])
    const ran = await bkp(['check', '--heal', ...places])
    expect(ran.code).toBe(4)
    expect(objectsOf(empty)).toEqual([])
    expect(existsSync(join(other, 'bkp.json'))).toBe(false)
    const alone = await bkp(['check', '--from', other, '--heal-from', disks[0]])
    expect(alone.code).toBe(10)
  })

  it('is healed from a replica that is named', async () => {
    for (const path of filesIn(join(disks[0], 'packs'))) flipBit(path)
    const heal = await bkp(['check', '--from', disks[0], '--heal-from', disks[2], '--read-data', '--json'])
    reportOf(heal, 0)
    await expectRestorable(disks[0])
  })

  it('that all have is named, and nothing is made up for it', async () => {
    const [first] = filesIn(join(disks[0], 'packs')).map((path) => path.slice(disks[0].length + 1))
    if (first === undefined) throw new Error('There are packs')
    for (const disk of disks) flipBit(join(disk, first))
    const ran = await bkp(['check', '--read-data', '--heal', ...each('--from', disks), '--json'])
    const report = reportOf<{ damages: { key: string }[]; healed: unknown[] }>(ran, 13)
    expect(report.damages.map(({ key }) => key)).toContain(first)
    expect(report.healed).toEqual([])
  })
})

describe('bkp sync', () => {
  beforeEach(async () => {
    reportOf(await backup([disks[0]]), 0)
  })

  it('needs no passphrase, makes a replica only where it is asked to, and goes on where it was killed', async () => {
    const without = { env: { BKP_PASSWORD: '' } }
    const fresh = at('fresh')
    const dry = await bkp(['sync', '--from', disks[0], '--to', disks[1], '--dry-run', '--json'], without)
    expect(reportOf<{ destinations: { objects: number }[] }>(dry, 0).destinations[0]?.objects).toBeGreaterThan(1)
    expect(objectsOf(disks[1])).not.toEqual(objectsOf(disks[0]))
    await bkp(['sync', '--from', disks[0], '--to', fresh], {
      ...without,
      onStart: (child) => void sleep(250).then(() => child.kill('SIGKILL')),
    })
    reportOf(await bkp(['sync', '--from', disks[0], '--to', fresh, '--json'], without), 0)
    expect(objectsOf(fresh)).toEqual(objectsOf(disks[0]))
    await expectRestorable(fresh)
  })

  it('works both ways', async () => {
    writeFileSync(at('source', 'another'), noise(500_000, 99))
    reportOf(await backup([disks[1]]), 0)
    reportOf(await bkp(['sync', ...each('--from', disks), '--json']), 0)
    expect(objectsOf(disks[1])).toEqual(objectsOf(disks[0]))
    expect(objectsOf(disks[2])).toEqual(objectsOf(disks[0]))
  })

  it('copies nothing that is damaged, and says so', async () => {
    const [first] = filesIn(join(disks[0], 'packs'))
    if (first === undefined) throw new Error('There are packs')
    flipBit(first)
    const ran = await bkp(['sync', '--from', disks[0], '--to', disks[1], '--json'])
    const report = reportOf<{ damaged: { key: string }[]; destinations: Outcome[] }>(ran, 13)
    expect(report.damaged.map(({ key }) => key)).toEqual([first.slice(disks[0].length + 1)])
    expect(report.destinations[0]?.state).toBe('lagging')
    expect(objectsOf(disks[1])).not.toContain(first.slice(disks[0].length + 1))
  })
})

describe('bkp migrate', () => {
  beforeEach(async () => {
    reportOf(await backup([disks[0]]), 0)
  })

  it('says what it takes, asks, copies, proves, and points the configuration to the new place', async () => {
    const config = at('config.yaml')
    writeFileSync(
      config,
      `version: 1\nrepositories:\n  home:\n    destinations:\n      disk: # the old one\n        url: ${disks[0]}\n`,
    )
    const to = at('moved')
    const migrate = (...more: string[]) =>
      bkp(['migrate', '--from', 'disk', '--to', to, '--config', config, '--json', ...more])
    const planned = reportOf<{ state: string; plan: { objectsToCopy: number } }>(await migrate('--dry-run'), 0)
    expect(planned.state).toBe('planned')
    expect(planned.plan.objectsToCopy).toBe(objectsOf(disks[0]).length)
    const refused = await migrate()
    expect(refused.code).toBe(2)
    const done = reportOf<{ state: string; verifiedObjects: number; movedInConfig: string }>(await migrate('--yes'), 0)
    expect(done).toMatchObject({
      state: 'complete',
      verifiedObjects: objectsOf(disks[0]).length,
      movedInConfig: 'home:disk',
    })
    expect(objectsOf(to)).toEqual(objectsOf(disks[0]))
    const snapshots = await bkp(['snapshots', '--from', 'disk', '--config', config])
    expect(snapshots.code).toBe(0)
    rmSync(disks[0], { recursive: true })
    await expectRestorable(to)
  })

  it('goes on where it was killed', async () => {
    const to = at('moved')
    for (const delayMs of [250, 350, 450]) {
      await bkp(['migrate', '--from', disks[0], '--to', to, '--yes'], {
        onStart: (child) => void sleep(delayMs).then(() => child.kill('SIGKILL')),
      })
    }
    expect(
      reportOf<{ state: string }>(await bkp(['migrate', '--from', disks[0], '--to', to, '--yes', '--json']), 0).state,
    ).toBe('complete')
    expect(objectsOf(to)).toEqual(objectsOf(disks[0]))
  })

  it('does not call a repository complete whose source is damaged', async () => {
    const [first] = filesIn(join(disks[0], 'packs'))
    if (first === undefined) throw new Error('There are packs')
    cutInHalf(first)
    const ran = await bkp(['migrate', '--from', disks[0], '--to', at('moved'), '--yes', '--json'])
    const report = reportOf<{ state: string; faults: { key: string }[] }>(ran, 13)
    expect(report.state).toBe('incomplete')
    expect(report.faults.map(({ key }) => key)).toContain(first.slice(disks[0].length + 1))
  })

  it('finds and replaces what was changed at the target, and refuses the place of another repository', async () => {
    const to = at('moved')
    cpSync(disks[0], to, { recursive: true })
    const [first] = filesIn(join(to, 'packs'))
    if (first === undefined) throw new Error('There are packs')
    flipBit(first)
    const migrate = (...more: string[]) => bkp(['migrate', '--from', disks[0], '--to', to, '--yes', '--json', ...more])
    expect(reportOf<{ copiedObjects: number; replacedObjects: number }>(await migrate(), 0)).toMatchObject({
      copiedObjects: 0,
      replacedObjects: 1,
    })
    expect(readFileSync(first)).toEqual(readFileSync(join(disks[0], first.slice(to.length))))
    const other = at('other')
    expect((await bkp(['init', '--to', other])).code).toBe(0)
    expect((await bkp(['migrate', '--from', disks[0], '--to', other, '--yes'])).code).toBe(2)
  })
})

describe('bkp destinations', () => {
  it('status tells what lags, and test leaves nothing behind', async () => {
    reportOf(await backup([disks[0], disks[1]]), 0)
    const before = filesIn(disks[0])
    const tried = reportOf<{ destinations: { works: boolean; leftBehind: string[] }[] }>(
      await bkp(['destinations', 'test', '--to', disks[0], '--json']),
      0,
    )
    expect(tried.destinations).toMatchObject([{ works: true, leftBehind: [] }])
    expect(filesIn(disks[0])).toEqual(before)
    const status = () => bkp(['destinations', 'status', ...each('--from', [...disks, at('nowhere')]), '--json'])
    const { destinations } = reportOf<{ destinations: Record<string, unknown>[] }>(await status(), 4)
    expect(destinations.map(({ name, lagSnapshots }) => [name, lagSnapshots])).toEqual([
      [disks[0], 0],
      [disks[1], 0],
      [disks[2], 1],
      [at('nowhere'), null],
    ])
    expect(JSON.stringify(destinations)).not.toContain(passphrase)
  })

  it('test says of an option that is not known what may be meant, and where options stand', async () => {
    const ran = await bkp(['destinations', 'test', '--to', 'sftp://ann@host/x?agnet=no', '--json'])
    const { destinations } = reportOf<{ destinations: { steps: { message: string }[] }[] }>(ran, 1)
    expect(destinations[0]?.steps[0]?.message).toContain('did you mean "agent"? Options stand in the configuration')
  })
})
