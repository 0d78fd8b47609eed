import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { openSessions } from '../../packages/core/src/format/session.js'
import { canAppendOnly } from '../../plugins/storage-local/src/testing/temporary-folder.js'
import { reportOf } from '../support/outcomes.js'
import { Overheard } from '../support/overheard.js'
import { makeRandomTree } from '../support/random-tree.js'
import { passphrase } from '../support/run-bkp.js'
import { expectSameTree } from '../support/same-tree.js'
import { noise } from '../support/torture-tree.js'
import { startRadosgw } from './support/radosgw.js'
import {
  type RestrictedPlace,
  type RestrictedServer,
  startAppendOnlyFolder,
  startLockingS3,
  startRestrictedB2,
  startRestrictedS3,
  startRestrictedSftp,
  startRestrictedWebdav,
} from './support/restricted-places.js'
import type { S3Server } from './support/s3-server.js'
import { hasServer } from './support/servers.js'

vi.setConfig({ testTimeout: 300_000 })

let started: Promise<S3Server> | undefined
/** One for both buckets: it takes long to start. */
function gateway(): Promise<S3Server> {
  started ??= startRadosgw()
  return started
}
afterAll(async () => (await started)?.stop())

const servers = [
  // What is replaced stays as an older version on B2 and S3: there is no right to deny it.
  { name: 'a B2 key without deleteFiles (the stand-in)', start: startRestrictedB2, isThere: true, mayReplace: true },
  {
    name: 'an S3 user without DeleteObject',
    start: () => startRestrictedS3(gateway),
    isThere: hasServer('ceph'),
    mayReplace: true,
  },
  {
    name: 'an S3 bucket with locks',
    start: () => startLockingS3(gateway),
    isThere: hasServer('ceph'),
    mayReplace: true,
  },
  { name: 'OpenSSH', start: startRestrictedSftp, isThere: hasServer('openssh'), mayReplace: false },
  { name: 'Apache', start: startRestrictedWebdav, isThere: hasServer('apache'), mayReplace: false },
  { name: 'a folder that only takes', start: startAppendOnlyFolder, isThere: canAppendOnly(), mayReplace: false },
]
for (const { name } of servers.filter(({ isThere }) => !isThere))
  console.warn(`Not tested, since it cannot be arranged on this machine: ${name}`)

// The servers side by side, the tests of each one after the other: most of the time is waiting.
describe.concurrent.each(servers.filter(({ isThere }) => isThere))('with $name', ({ start, mayReplace }) => {
  const work = mkdtempSync(join(tmpdir(), 'bkp-restricted-'))
  const source = join(work, 'source')
  const overheard = new Overheard()
  let server: RestrictedServer
  let place: RestrictedPlace

  beforeAll(async () => {
    server = await start()
    place = await server.place()
    for (const [name, secret] of Object.entries({ ...server.secrets, passphrase })) overheard.confide(name, secret)
    makeRandomTree(source, 7)
    const run = await overheard.init(() => bkp(['init', '--to', place.url]))
    expect(run.ran.code).toBe(0)
    await place.restrict()
  })
  afterAll(async () => {
    rmSync(work, { recursive: true, force: true })
    await server?.close()
  })

  function bkp(args: readonly string[], options: Parameters<Overheard['bkp']>[1] = {}) {
    return overheard.bkp(args, { ...options, env: { ...server.env, ...options.env } })
  }

  const backup = async (...more: string[]) =>
    reportOf<{ stats: { storedBytes: number; newBytes: number } }>(
      await bkp(['backup', source, '--to', place.url, ...more, '--json']),
      0,
    )

  /** Everything that was there before is there afterwards, with the same bytes. */
  async function losingNothing(at: RestrictedPlace, action: () => Promise<void>): Promise<void> {
    const before = await at.kept()
    await action()
    const after = await at.kept()
    expect([...before].filter((object) => !after.has(object))).toEqual([])
  }

  async function expectSound(url: string): Promise<void> {
    const target = mkdtempSync(join(work, 'restored-'))
    const [check, restore] = await Promise.all([
      bkp(['check', '--read-data', '--from', url, '--json']),
      bkp(['restore', `latest:${source}`, '--from', url, '--target', target, '--json']),
    ])
    expect(reportOf<{ damages: unknown[] }>(check, 0).damages).toEqual([])
    expect(reportOf<{ damaged: number; issues: unknown[] }>(restore, 0)).toMatchObject({ damaged: 0, issues: [] })
    expectSameTree(source, target)
    rmSync(target, { recursive: true })
  }

  /** Ends a command by force as soon as another pack is there. */
  async function killAfterPack(at: RestrictedPlace, args: readonly string[]): Promise<void> {
    const packs = async () => (await at.keys()).filter((key) => key.startsWith('packs/')).length
    const before = await packs()
    let killing: Promise<void> | undefined
    const ran = await bkp(args, {
      onStart: (child) => {
        killing = (async () => {
          while ((await packs()) === before && child.exitCode === null) await sleep(50)
          child.kill('SIGKILL')
        })()
      },
    })
    await killing
    expect(ran.code).toBeNull()
    expect(await packs()).toBeGreaterThan(before)
  }

  it.sequential('bkp destinations test finds that nothing can be removed, and what can be replaced', async () => {
    const ran = await bkp(['destinations', 'test', '--to', place.url, '--json'])
    const { destinations } = reportOf<{ destinations: { leftBehind: string[] }[] }>(ran, 0)
    expect(destinations).toMatchObject([{ works: true, canRemove: false, canReplace: mayReplace }])
    const keys = await place.keys()
    expect(keys).toEqual(expect.arrayContaining(destinations[0]?.leftBehind ?? ['something']))
    // What it leaves is looked at by no later run.
    expect(openSessions(keys.filter((key) => key.startsWith('sessions/')))).toEqual([])
  })

  it.sequential('backups, lists, checks and restores work', () =>
    losingNothing(place, async () => {
      await backup()
      writeFileSync(join(source, 'another'), noise(300_000, 5))
      await backup()
      await expectSound(place.url)
      const [snapshots, ls, status] = await Promise.all([
        bkp(['snapshots', '--from', place.url, '--json']),
        bkp(['ls', `latest:${source}`, '--from', place.url]),
        bkp(['destinations', 'status', '--from', place.url]),
      ])
      expect(reportOf<{ snapshots: unknown[] }>(snapshots, 0).snapshots).toHaveLength(2)
      expect(ls.stdout).toContain('another')
      expect(status.code).toBe(0)
    }))

  it.sequential('a killed backup is gone on with once, and no later run looks at it again', () =>
    losingNothing(place, async () => {
      for (let n = 0; n < 20; n++) writeFileSync(join(source, `large ${n}`), noise(2_000_000, 50 + n))
      await killAfterPack(place, ['backup', source, '--to', place.url, '--limit-upload', '6M'])
      const sessions = async () => (await place.keys()).filter((key) => key.startsWith('sessions/'))
      expect(openSessions(await sessions())).toHaveLength(1)
      const next = await bkp(['backup', source, '--to', place.url])
      expect(next.code).toBe(0)
      expect(next.stderr + next.stdout).toMatch(/of an interrupted run (is|are) used again/)
      expect(openSessions(await sessions())).toEqual([])
      await expectSound(place.url)
      const later = await bkp(['backup', source, '--to', place.url])
      expect(later.code).toBe(0)
      expect(later.stderr + later.stdout).not.toContain('interrupted run')
      expect(openSessions(await sessions())).toEqual([])
    }))

  it.sequential('a backup to it and to a place that may do all is complete at both', async () => {
    const other = join(work, 'other')
    reportOf(await bkp(['sync', '--from', place.url, '--to', other, '--json']), 0)
    await losingNothing(place, async () => {
      writeFileSync(join(source, 'for both'), noise(200_000, 8))
      const both = reportOf<{ destinations: { state: string }[] }>(
        await bkp(['backup', source, '--to', place.url, '--to', other, '--json']),
        0,
      )
      expect(both.destinations.map(({ state }) => state)).toEqual(['complete', 'complete'])
      await Promise.all([expectSound(place.url), expectSound(other)])
    })
  })

  it.sequential('it is filled and brought up by bkp sync, also after that was killed', async () => {
    const from = join(work, 'other')
    const target = await server.place()
    const sync = ['sync', '--from', from, '--to', target.url]
    await target.restrict()
    await killAfterPack(target, [...sync, '--limit-upload', '6M'])
    await losingNothing(target, async () => {
      reportOf(await bkp([...sync, '--json']), 0)
      writeFileSync(join(source, 'later'), noise(200_000, 9))
      reportOf(await bkp(['backup', source, '--to', from, '--json']), 0)
      const again = reportOf<{ destinations: { objects: number }[] }>(await bkp([...sync, '--json']), 0)
      expect(again.destinations[0]?.objects).toBeGreaterThan(1)
      await expectSound(target.url)
    })
  })

  it.sequential('no secret was said', () => overheard.expectNoLeaks())
})
