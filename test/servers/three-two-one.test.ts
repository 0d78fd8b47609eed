import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { parseDocument } from 'yaml'
import { filesIn, flipBit } from '../support/damage-folder.js'
import { Overheard } from '../support/overheard.js'
import { makeRandomTree } from '../support/random-tree.js'
import { expectSameTree } from '../support/same-tree.js'
import { noise } from '../support/torture-tree.js'
import { type Bucket, startB2Bucket, startS3Bucket } from './support/buckets.js'
import { type OpenSsh, startOpenSsh } from './support/openssh.js'
import { hasServer } from './support/servers.js'
import { Workstation } from './support/workstation.js'

// Each step is several commands on a hundred megabytes, with radosgw in memory beside them.
vi.setConfig({ testTimeout: 400_000 })

const documentation = readFileSync(new URL('../../docs/3-2-1.md', import.meta.url), 'utf8')
const passphrase = 'a passphrase of the 3-2-1 walk'
const exportPassphrase = 'another one, for the export'
const diskUrl = '/mnt/backup/ssd'
const nasUrl = 'sftp://ann@nas.friend.example/backup/ssd'
const bucketUrl = 'b2://data-backup-ej8c/ssd'

interface Check {
  readonly damages: readonly { destination: string; key: string; intactAt?: string }[]
  readonly healed: readonly { destination: string }[]
}

interface Outcomes {
  readonly destinations: readonly { name: string; state: string; objects: number; caughtUpObjects: number }[]
}

interface Restored {
  readonly damaged: number
  readonly issues: readonly unknown[]
  readonly fallOvers: readonly { from: string; to: string }[]
}

/** Blocks of code of the documentation in one language. */
function blocks(language: string): string[] {
  return [...documentation.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(
    ([, text = '']) => text,
  )
}

/** What a user is told to type to bkp. */
function documentedCommands(): string[] {
  const lines = blocks('sh').flatMap((block) => block.split('\n'))
  return [...new Set(lines.filter((line) => line.startsWith('bkp ')))]
}

/** Some hundreds of files of 80 MB: packs of their own, odd names, links, what compresses and what does not. */
function makeTree(folder: string): void {
  makeRandomTree(folder, 20_261_124)
  for (let n = 0; n < 12; n++) {
    const album = join(folder, `album ${n} – "Été"`)
    mkdirSync(album)
    for (let photo = 0; photo < 24; photo++)
      writeFileSync(join(album, `${photo}\n*?[x] ünï.jpg`), noise(240_000, 1 + n * 100 + photo))
  }
}

// The buckets side by side, the tests of each one after the other.
describe.runIf(hasServer('openssh')).concurrent.each(
  [
    { name: 'a B2 bucket (the stand-in)', start: startB2Bucket, isThere: true, canBeFull: true },
    { name: "an S3 bucket of Ceph's gateway", start: startS3Bucket, isThere: hasServer('ceph'), canBeFull: false },
  ].filter(({ isThere }) => isThere),
)('disk, NAS and $name', ({ start, canBeFull }) => {
  const overheard = new Overheard()
  const typed = new Set<string>()
  let server: OpenSsh
  let bucket: Bucket
  let user: Workstation
  let disk: string
  let nas: string
  let source: string
  let recoveryCode: string

  beforeAll(async () => {
    server = await startOpenSsh()
    bucket = await start()
    user = machine()
    disk = user.at('mnt', 'backup', 'ssd')
    nas = join(server.folder, 'backup', 'ssd')
    source = user.at('mnt', 'ssd')
    for (const folder of [disk, nas]) mkdirSync(folder, { recursive: true })
    makeTree(source)
    user.write('.config/bkp/passphrase', `${passphrase}\n`)
    user.write('.config/bkp/bucket-key', `${bucket.secret[1]}\n`)
    user.write('.config/bkp/config.yaml', configuration())
    bringSshKey(user)
    for (const [name, secret] of Object.entries({
      passphrase,
      exportPassphrase,
      'key of the bucket': bucket.secret[1],
    }))
      overheard.confide(name, secret)
  })
  afterAll(async () => {
    user?.remove()
    await bucket?.close()
    await server?.stop()
  })

  function machine(): Workstation {
    return new Workstation(overheard, {
      '/mnt/new-ssd': '~/new-ssd',
      [nasUrl]: `'${server.url(join(server.folder, 'backup', 'ssd'))}'`,
      [bucketUrl]: `'${bucket.url}'`,
      [diskUrl]: disk === undefined ? diskUrl : `'${disk}'`,
    })
  }

  /** The configuration of the documentation, with the places of this test and without the limit of a slow line. */
  function configuration(): string {
    const [text = ''] = blocks('yaml')
    const document = parseDocument(text)
    const at = ['repositories', 'ssd', 'destinations']
    expect(document.getIn([...at, 'disk'])).toBe(diskUrl)
    expect(document.getIn([...at, 'nas', 'url'])).toBe(nasUrl)
    expect(document.getIn([...at, 'b2', 'url'])).toBe(bucketUrl)
    document.setIn([...at, 'disk'], disk)
    document.setIn([...at, 'nas', 'url'], server.url(nas))
    document.deleteIn([...at, 'nas', 'limits'])
    document.setIn([...at, 'b2', 'url'], bucket.url)
    document.setIn([...at, 'b2', 'options'], { ...bucket.options, [bucket.secret[0]]: 'file:~/.config/bkp/bucket-key' })
    document.setIn(['jobs', 'ssd', 'paths'], [source])
    return document.toString()
  }

  function bringSshKey(to: Workstation): void {
    to.write('.ssh/id_ed25519', readFileSync(server.privateKey))
    to.write('.ssh/known_hosts', readFileSync(server.knownHosts))
  }

  const damagedPlaces = ({ damages }: Check) => [...new Set(damages.map(({ destination }) => destination))].sort()
  const statesOf = ({ destinations }: Outcomes) =>
    Object.fromEntries(destinations.map(({ name, state }) => [name, state]))
  const allComplete = { disk: 'complete', nas: 'complete', b2: 'complete' }
  const nasLags = { ...allComplete, nas: 'lagging' }

  const expectAsItWas = (restored: string) => expectSameTree(source, restored)

  /** Objects of the bucket but for the leases of writers. */
  const objectsInBucket = async () => (await bucket.keys()).filter((key) => !key.startsWith('sessions/'))
  const emptyBucket = async () => {
    for (const key of await bucket.keys()) await bucket.drop(key)
  }
  const empty = (folder: string) => {
    rmSync(folder, { recursive: true })
    mkdirSync(folder)
  }

  /** A machine that has never seen bkp: an empty home and cache, no configuration. */
  async function onNewMachine(action: (fresh: Workstation) => Promise<void>): Promise<void> {
    const fresh = machine()
    try {
      await action(fresh)
    } finally {
      for (const line of fresh.typed) typed.add(line)
      fresh.remove()
    }
  }

  const restoreOnNewMachine = (line: string, env: Record<string, string>) =>
    onNewMachine(async (fresh) => {
      if (line.includes(nasUrl)) bringSshKey(fresh)
      const restored = await fresh.ask<Restored>(line, { env })
      expect(restored).toMatchObject({ damaged: 0, issues: [] })
      expectAsItWas(join(fresh.at('restored'), source))
    })

  it.sequential('are made one repository', async () => {
    await user.type('bkp config validate')
    const { destinations } = await user.ask<{ destinations: { works: boolean; leftBehind: string[] }[] }>(
      'bkp destinations test --to ssd',
    )
    expect(destinations.map(({ works, leftBehind }) => [works, leftBehind])).toEqual(Array(3).fill([true, []]))
    const made = await overheard.init(() => user.type('bkp init --to ssd'))
    recoveryCode = made.recoveryCode
  })

  it.sequential('are given everything in one run, and each is enough by itself', async () => {
    const run = await user.ask<Outcomes>('bkp backup ssd')
    expect(statesOf(run)).toEqual(allComplete)
    const packs = filesIn(join(disk, 'packs'))
    expect(packs.length).toBeGreaterThan(3)
    const onDisk = filesIn(disk)
      .map((path) => path.slice(disk.length + 1))
      .filter((key) => !key.startsWith('sessions/'))
    const onNas = filesIn(nas)
      .map((path) => path.slice(nas.length + 1))
      .filter((key) => !key.startsWith('sessions/'))
    expect(onNas).toEqual(onDisk)
    expect([...(await objectsInBucket())].sort()).toEqual(onDisk)
    for (const place of ['disk', 'nas']) await user.type(`bkp check --from ${place} --read-data`)
    await user.type('bkp check --from b2 --read-data=10%')
    await user.type('bkp check --from b2 --read-data')
    await user.type('bkp restore latest --from nas --target ~/restored')
    expectAsItWas(user.at('restored', ...source.split('/')))
    await user.type('bkp destinations status --from ssd')
  })

  it.sequential('go on without the NAS, which the next sync or run brings up', async () => {
    for (const bringUp of ['bkp sync --from ssd', 'bkp backup ssd']) {
      await server.kill()
      writeFileSync(join(source, `written while it was away, before ${bringUp}`), noise(3_000_000, bringUp.length))
      expect(statesOf(await user.ask<Outcomes>('bkp backup ssd', { code: 4 }))).toEqual(nasLags)
      await server.restart()
      await user.type('bkp destinations status --from ssd', { code: 4 })
      const dry = await user.ask<Outcomes>('bkp sync --from ssd --dry-run')
      expect(dry.destinations.find(({ name }) => name === 'nas')?.objects).toBeGreaterThan(1)
      const broughtUp = await user.ask<Outcomes>(bringUp)
      expect(statesOf(broughtUp)).toEqual(allComplete)
      const given = broughtUp.destinations.find(({ name }) => name === 'nas')
      expect(given?.caughtUpObjects ?? given?.objects).toBeGreaterThan(1)
      await user.type('bkp destinations status --from ssd')
      await user.type('bkp check --from nas --read-data')
    }
  })

  const whereCapsCanBeSet = canBeFull ? it.sequential : undefined
  whereCapsCanBeSet?.('are told apart when one is full, and that one is brought up when there is room', async () => {
    await bucket.setFull?.('full')
    writeFileSync(join(source, 'written while it was full'), noise(1_000_000, 77))
    const run = await user.ask<Outcomes>('bkp backup ssd', { code: 4 })
    expect(statesOf(run)).toEqual({ ...allComplete, b2: 'lagging' })
    await bucket.setFull?.('free')
    expect(statesOf(await user.ask<Outcomes>('bkp sync --from ssd'))).toEqual(allComplete)
  })

  it.sequential('are checked against each other: what is damaged or deleted is named, and healed', async () => {
    const [flippedOnNas = '', droppedOnNas = ''] = filesIn(join(nas, 'packs'))
    flipBit(flippedOnNas)
    rmSync(droppedOnNas)
    for (const path of filesIn(join(nas, 'snapshots')).slice(1)) rmSync(path)
    const objects = await objectsInBucket()
    const family = (name: string) => objects.filter((key) => key.startsWith(`${name}/`)).sort()
    const [droppedInBucket = '', flippedInBucket = ''] = family('packs').slice(2)
    const [index = ''] = family('index')
    await bucket.drop(droppedInBucket)
    await bucket.flipBit(flippedInBucket)
    await bucket.flipBit(index)

    const found = await user.ask<Check>('bkp check --from ssd --read-data', { code: 13 })
    expect(damagedPlaces(found)).toEqual(['b2', 'nas'])
    const keysAt = (place: string) => found.damages.filter((one) => one.destination === place).map(({ key }) => key)
    for (const path of [flippedOnNas, droppedOnNas]) expect(keysAt('nas')).toContain(path.slice(nas.length + 1))
    expect(keysAt('nas').filter((key) => key.startsWith('snapshots/'))).not.toEqual([])
    expect(keysAt('b2')).toEqual(expect.arrayContaining([droppedInBucket, flippedInBucket, index]))
    for (const { intactAt } of found.damages) expect(intactAt).toBe('disk')
    await user.type('bkp check --from ssd --read-data', { code: 13 })

    const healed = await user.ask<Check>('bkp check --from ssd --read-data --heal')
    expect(healed.damages).toEqual([])
    expect(healed.healed.length).toBeGreaterThanOrEqual(6)
    expect(await user.ask<Check>('bkp check --from ssd --read-data')).toMatchObject({ damages: [], healed: [] })
  })

  it.sequential('are healed two by two as well, and a restore reads around damage', async () => {
    const [path = ''] = filesIn(join(nas, 'packs'))
    flipBit(path)
    const around = await user.ask<Restored>('bkp restore latest --from nas --from disk --target ~/around')
    expect(around.damaged).toBe(0)
    expectAsItWas(user.at('around', ...source.split('/')))
    const healed = await user.ask<Check>('bkp check --from nas --heal-from disk --read-data')
    expect(healed).toMatchObject({ damages: [], healed: [{ destination: 'nas' }] })
  })

  it.sequential('survive in the disk alone, from which the others are filled again', async () => {
    empty(nas)
    await emptyBucket()
    await restoreOnNewMachine(`bkp restore latest --from ${diskUrl} --target ~/restored`, { BKP_PASSWORD: passphrase })
    await user.type('bkp sync --from disk --to nas')
    await user.type('bkp sync --from disk --to b2')
    await user.type('bkp check --from ssd --read-data')
  })

  it.sequential('survive in the NAS alone', async () => {
    renameSync(disk, `${disk}-gone`)
    await emptyBucket()
    await restoreOnNewMachine(`bkp restore latest --from ${nasUrl} --target ~/restored`, { BKP_PASSWORD: passphrase })
    await restoreOnNewMachine(`bkp restore latest --from ${nasUrl} --target ~/restored --recovery-code`, {
      BKP_RECOVERY_CODE: recoveryCode,
    })
    rmSync(`${disk}-gone`, { recursive: true })
    await user.type('bkp sync --from nas --to disk --to b2')
    await user.type('bkp check --from ssd --read-data')
  })

  it.sequential('survive in the bucket alone, also when the passphrase is lost or everything but an export', async () => {
    const exporting = 'bkp config export --with-secrets --output bkp-config.age'
    await user.type(exporting, { env: { BKP_EXPORT_PASSWORD: exportPassphrase } })
    rmSync(disk, { recursive: true })
    empty(nas)
    const line = `bkp restore latest --from ${bucketUrl} --target ~/restored`
    await onNewMachine(async (fresh) => {
      await fresh.type(`bkp snapshots --from ${bucketUrl}`, { env: { ...bucket.env, BKP_PASSWORD: passphrase } })
    })
    await restoreOnNewMachine(line, { ...bucket.env, BKP_PASSWORD: passphrase })
    await restoreOnNewMachine(`${line} --recovery-code`, { ...bucket.env, BKP_RECOVERY_CODE: recoveryCode })
    await onNewMachine(async (fresh) => {
      fresh.write('bkp-config.age', readFileSync(user.at('bkp-config.age')))
      await fresh.type('bkp config import bkp-config.age', { env: { BKP_EXPORT_PASSWORD: exportPassphrase } })
      await fresh.type('bkp restore latest --from b2 --target ~/restored')
      expectAsItWas(join(fresh.at('restored'), source))
    })
    await user.type('bkp sync --from b2 --to disk --to nas')
    await user.type('bkp check --from ssd --read-data')
    expect(statesOf(await user.ask<Outcomes>('bkp backup ssd'))).toEqual(allComplete)
  })

  it.sequential('were used by every command line of docs/3-2-1.md', () => {
    for (const line of user.typed) typed.add(line)
    expect(documentedCommands().length).toBeGreaterThan(15)
    expect(documentedCommands().filter((line) => !typed.has(line))).toEqual([])
  })

  it.sequential('never showed a secret', () => overheard.expectNoLeaks())
})
