import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { BucketOwner } from '../../plugins/storage-s3/src/testing/bucket-owner.js'
import { type B2StandInProcess, startB2StandInProcess } from '../b2-stand-in/own-process.js'
import { cutInHalf, filesIn } from '../support/damage-folder.js'
import { reportOf } from '../support/outcomes.js'
import { startApache } from './support/apache.js'
import { MigratingMachine } from './support/migration-script.js'
import { type OpenSsh, startOpenSsh } from './support/openssh.js'
import { startRadosgw } from './support/radosgw.js'
import type { S3Server } from './support/s3-server.js'
import { hasServer } from './support/servers.js'
import { accessTo, newFolder } from './support/sftp.js'
import type { WebServer } from './support/web-server.js'

// The scripts of docs/migrate.md, run as they stand there. B2 is a stand-in written from its documentation.

// A script runs many processes.
vi.setConfig({ testTimeout: 400_000 })

let machine: MigratingMachine
beforeEach(() => {
  machine = new MigratingMachine()
})
afterEach(() => machine.dispose())

/** Of a repository, without the leases of writers. */
const objectsOf = (names: readonly string[]) => names.filter((name) => !name.includes('sessions/')).length

/** Waits until something has happened that other processes do. */
async function until(happened: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await happened())) await sleep(50)
}

function b2Options({ realmUrl, applicationKeyId, applicationKey }: B2StandInProcess) {
  return { realmUrl, applicationKeyId, applicationKey }
}

describe.runIf(hasServer('ceph'))('b2-to-s3.sh', () => {
  let gateway: S3Server
  let owner: BucketOwner
  let b2: B2StandInProcess
  beforeAll(async () => {
    gateway = await startRadosgw()
    owner = new BucketOwner(gateway.endpoint, gateway.owner)
    b2 = await startB2StandInProcess()
  })
  afterAll(async () => {
    await b2?.close()
    await gateway?.stop()
  })

  const keysIn = async (bucket: string) => (await owner.versions(bucket)).map(({ key }) => key)

  it('is killed in the middle, goes on, and moves the jobs; the old place can go then', async () => {
    const bucket = await owner.makeBucket()
    const TO = `s3://${bucket}/photos?endpoint=${gateway.endpoint}&conditionalCreate=yes`
    const { accessKeyId, secretAccessKey } = gateway.owner
    machine.keepSecret(secretAccessKey, b2.applicationKey)
    await machine.begin('cloud', `b2://${b2.bucket}/photos`, b2Options(b2))
    machine.env = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey }

    const before = readFileSync(machine.config, 'utf8')
    const cut = machine.run('b2-to-s3.sh', { TO, LIMIT: '400K' })
    await until(async () => (await keysIn(bucket)).length >= 3)
    cut.kill()
    expect((await cut).code).toBeNull()
    const there = objectsOf(await keysIn(bucket))
    const all = objectsOf(await b2.tell('names'))
    expect(there).toBeLessThan(all)
    expect(readFileSync(machine.config, 'utf8')).toBe(before)

    const { stdout } = await machine.mustRun('b2-to-s3.sh', { TO, READ_SHARE: '100%' })
    expect(stdout).toMatch(new RegExp(`: ${all - there} objects, 1 GiB; \\d+ requests`))
    expect(stdout).toContain(`${all - there} objects copied, ${all} verified`)
    expect(stdout).toContain('4 snapshots are whole there')
    expect(stdout).toContain('photos:cloud points to s3://')
    expect(stdout).toContain('AWS_SECRET_ACCESS_KEY')
    expect((await machine.run('b2-to-s3.sh', { TO })).stdout).toContain('points to')

    for (const name of await b2.tell('names')) await b2.tell('drop', name)
    await machine.backUp()
    await machine.expectRestorable('cloud')
  })

  it('does nothing above the budget, and nothing with keys that are wrong', async () => {
    const bucket = await owner.makeBucket()
    const TO = `s3://${bucket}/photos?endpoint=${gateway.endpoint}`
    machine.keepSecret('wrong-secret-hunter2')
    await machine.begin('cloud', `b2://${b2.bucket}/second`, b2Options(b2))
    const before = readFileSync(machine.config, 'utf8')
    const wrong = { AWS_ACCESS_KEY_ID: gateway.owner.accessKeyId, AWS_SECRET_ACCESS_KEY: 'wrong-secret-hunter2' }
    const refused = await machine.run('b2-to-s3.sh', { TO, ...wrong })
    expect(refused.code).toBe(1)
    expect(refused.stderr).toContain('bkp migrate ended with 1')
    expect(refused.stderr).toMatch(/credentials|access key|signature|sign/i)

    const { accessKeyId, secretAccessKey } = gateway.owner
    machine.env = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey }
    for (const budget of [{ MOST_REQUESTS: '10' }, { MOST_GIB: '0' }, { MOST_HOURS: '1', LIMIT: '100' }]) {
      const dear = await machine.run('b2-to-s3.sh', { TO, ...budget })
      expect(dear.code).toBe(20)
      expect(dear.stderr).toContain('nothing was done')
    }
    expect(await keysIn(bucket)).toEqual([])
    expect(readFileSync(machine.config, 'utf8')).toBe(before)
  })
})

describe.runIf(hasServer('openssh'))('sftp-to-b2.sh', () => {
  let server: OpenSsh
  let b2: B2StandInProcess
  beforeAll(async () => {
    server = await startOpenSsh()
    b2 = await startB2StandInProcess()
  })
  afterAll(async () => {
    await b2?.close()
    await server?.stop()
  })

  it('says what is damaged at the source and moves no job; when it is healed, the same command ends well', async () => {
    const folder = newFolder(server)
    const TO = `b2://${b2.bucket}/from-nas?realmUrl=${b2.realmUrl}`
    machine.keepSecret(b2.applicationKey)
    machine.env = { B2_APPLICATION_KEY_ID: b2.applicationKeyId, B2_APPLICATION_KEY: b2.applicationKey }
    await machine.begin('nas', server.url(folder), accessTo(server))
    const [pack] = filesIn(join(folder, 'packs'))
    if (pack === undefined) throw new Error('There are packs')
    const sound = readFileSync(pack)
    const before = readFileSync(machine.config, 'utf8')
    cutInHalf(pack)

    const broken = await machine.run('sftp-to-b2.sh', { TO })
    expect(broken.code).toBe(13)
    expect(broken.stderr).toContain(pack.slice(folder.length + 1))
    expect(broken.stderr).toContain('Heal nas from another destination')
    expect(readFileSync(machine.config, 'utf8')).toBe(before)
    const names = await b2.tell('names')
    expect(names).not.toContain(`from-nas${pack.slice(folder.length)}`)
    expect(names.length).toBeGreaterThan(5)

    writeFileSync(pack, sound)
    const { stdout } = await machine.mustRun('sftp-to-b2.sh', { TO })
    expect(stdout).toContain(' 1 objects copied')
    expect(stdout).toContain('photos:nas points to b2://')
    rmSync(folder, { recursive: true })
    await machine.expectRestorable('nas')
  })

  it('says which key is wrong, and may not write with one that only reads', async () => {
    const folder = newFolder(server)
    await machine.begin('nas', server.url(folder), accessTo(server))
    machine.keepSecret('hunter2-no-key')
    const TO = `b2://${b2.bucket}/other?realmUrl=${b2.realmUrl}`
    const wrong = { B2_APPLICATION_KEY_ID: b2.applicationKeyId, B2_APPLICATION_KEY: 'hunter2-no-key' }
    const refused = await machine.run('sftp-to-b2.sh', { TO, ...wrong })
    expect(refused.code).toBe(1)
    expect(refused.stderr).toMatch(/application key/i)
    const reading = await b2.tell('createKey', { buckets: [b2.bucket], capabilities: ['listFiles', 'readFiles'] })
    machine.keepSecret(reading.applicationKey)
    const readOnly = {
      B2_APPLICATION_KEY_ID: reading.applicationKeyId,
      B2_APPLICATION_KEY: reading.applicationKey,
    }
    const forbidden = await machine.run('sftp-to-b2.sh', { TO, ...readOnly })
    expect(forbidden.code).toBe(1)
    expect(forbidden.stderr).toContain('writeFiles')
    expect((await b2.tell('names')).filter((name) => name.startsWith('other/'))).toEqual([])
  })
})

describe.runIf(hasServer('apache'))('local-to-webdav.sh', () => {
  const password = 'hunter2-of-ann'
  let server: WebServer
  let url: string
  beforeAll(async () => {
    server = await startApache({ login: { scheme: 'basic', username: 'ann', password } })
    url = `webdav://ann@127.0.0.1:${server.port}`
  })
  afterAll(async () => server?.stop())

  beforeEach(async () => {
    machine.keepSecret(password)
    await machine.begin('disk', join(machine.home, 'disk'))
    machine.env = { BKP_WEBDAV_PASSWORD: password }
  })

  it('is killed and run again until all is there, while backups go on to the disk', async () => {
    const TO = `${url}/moved`
    const objects = () =>
      objectsOf(readdirSync(server.documents, { recursive: true, encoding: 'utf8' }).filter(isObject))
    for (const enough of [2, 5]) {
      const cut = machine.run('local-to-webdav.sh', { TO, LIMIT: '400K' })
      await until(() => objects() >= enough)
      cut.kill()
      await cut
      await machine.backUp()
    }
    await machine.mustRun('local-to-webdav.sh', { TO })
    rmSync(join(machine.home, 'disk'), { recursive: true })
    await machine.expectRestorable('disk')
  })

  it('says that the password is wrong', async () => {
    machine.keepSecret('hunter2-of-nobody')
    const refused = await machine.run('local-to-webdav.sh', {
      TO: `${url}/x`,
      BKP_WEBDAV_PASSWORD: 'hunter2-of-nobody',
    })
    expect(refused.code).toBe(1)
    expect(refused.stderr).toMatch(/password|log in|login/i)
  })

  it('takes about as long as the limit says, and said so before', async () => {
    const rate = 256 * 1024
    const migrate = (...more: string[]) =>
      machine.bkp(
        'migrate',
        '--from',
        'disk',
        '--to',
        `${url}/slow`,
        '--limit-upload',
        '256K',
        '--no-read-back',
        ...more,
      )
    interface Report {
      readonly plan: { readonly bytesToCopy: number; readonly seconds: number }
      readonly elapsedMs: number
    }
    const planned = reportOf<Report>(await migrate('--dry-run', '--json'), 0)
    const done = reportOf<Report>(await migrate('--yes', '--keep-config', '--json'), 0)
    const seconds = planned.plan.bytesToCopy / rate
    expect(seconds).toBeGreaterThan(6)
    expect(planned.plan.seconds).toBeCloseTo(seconds, 1)
    // The last objects need not be paid for.
    expect(done.elapsedMs / 1000).toBeGreaterThan(seconds * 0.7)
    expect(done.elapsedMs / 1000).toBeLessThan(seconds + 6)
  })
})

function isObject(name: string): boolean {
  return /\/[0-9a-f]{64}$/.test(name)
}
