import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { startB2StandInProcess } from '../b2-stand-in/own-process.js'
import { Overheard } from '../support/overheard.js'
import type { Ran } from '../support/run-bkp.js'
import { startApache } from './support/apache.js'
import { makeKey, startOpenSsh } from './support/openssh.js'
import { startRadosgw } from './support/radosgw.js'
import { hasServer } from './support/servers.js'

// Dozens of commands in each test.
vi.setConfig({ testTimeout: 900_000 })

/** Every one of its own, so that what is found tells where it came from. */
const secrets = {
  passphrase: 'Tell-nobody: the passphrase',
  'wrong passphrase': 'Tell-nobody: not the passphrase',
  'wrong recovery code': '0123-4567-89AB-CDEF-GHJK-MNPQ-RSTV-WXYZ-0000',
  'passphrase of the export': 'Tell-nobody: the export',
  'passphrase of the SSH key': 'Tell-nobody: the SSH key',
  'password of SFTP': 'Tell-nobody/SFTP?&password',
  'password of WebDAV': 'Tell-nobody/WebDAV?&password',
  'wrong password of WebDAV': 'Tell-nobody/WebDAV?&another',
  'token of WebDAV': 'Tell-nobody-WebDAV-token',
  'wrong key of S3': 'Tell-nobody/S3/secret+key',
  'session token of S3': 'Tell-nobody/S3/session+token',
  'customer key of S3': Buffer.from('Tell-nobody: 32 bytes for SSE-C!').toString('base64'),
  'wrong key of B2': 'K005Tell-nobody/B2/application+key',
} as const

const overheard = new Overheard()
for (const [name, secret] of Object.entries(secrets)) overheard.confide(name, secret)
for (const password of [secrets['password of WebDAV'], secrets['wrong password of WebDAV']])
  overheard.confide(`login with ${password}`, `ann:${password}`)

/** A server with a place on it, and the environments with right and with wrong credentials. */
interface Account {
  readonly url: string
  readonly right: Readonly<Record<string, string>>
  readonly wrong: readonly Readonly<Record<string, string>>[]
  close(): Promise<void>
}

async function sftpAccount(): Promise<Account> {
  const server = await startOpenSsh({ lines: ['PasswordAuthentication yes', 'MaxAuthTries 20'] })
  const key = join(server.folder, 'locked')
  makeKey(key, secrets['passphrase of the SSH key'])
  writeFileSync(server.authorizedKeys, await publicKeyOf(key))
  const place = join(server.folder, 'place')
  mkdirSync(place)
  const query = new URLSearchParams({
    privateKey: key,
    knownHosts: server.knownHosts,
    sshConfig: '/dev/null',
    agent: 'none',
  })
  const stranger = new URLSearchParams(query)
  stranger.set('privateKey', join(server.folder, 'host_key'))
  return {
    url: `${server.url(place)}?${query}`,
    right: { BKP_SFTP_KEY_PASSPHRASE: secrets['passphrase of the SSH key'] },
    wrong: [
      { BKP_SFTP_KEY_PASSPHRASE: secrets['wrong passphrase'] },
      { BKP_SFTP_PASSWORD: secrets['password of SFTP'], BKP_REPOSITORY: `${server.url(place)}?${stranger}` },
    ],
    close: () => server.stop(),
  }
}

async function publicKeyOf(path: string): Promise<string> {
  const { readFile } = await import('node:fs/promises')
  return readFile(`${path}.pub`, 'utf8')
}

async function webdavAccount(scheme: 'basic' | 'digest'): Promise<Account> {
  const password = secrets['password of WebDAV']
  const server = await startApache({ login: { scheme, username: 'ann', password } })
  const url = `webdav://ann@127.0.0.1:${server.port}/place`
  return {
    url,
    right: { BKP_WEBDAV_PASSWORD: password },
    wrong: [
      { BKP_WEBDAV_PASSWORD: secrets['wrong password of WebDAV'] },
      { BKP_WEBDAV_TOKEN: secrets['token of WebDAV'], BKP_REPOSITORY: url.replace('ann@', '') },
      { BKP_REPOSITORY: url.replace('ann@', `ann:${encodeURIComponent(secrets['wrong password of WebDAV'])}@`) },
      { BKP_REPOSITORY: `${url}?password=${encodeURIComponent(secrets['wrong password of WebDAV'])}` },
    ],
    close: () => server.stop(),
  }
}

async function s3Account(): Promise<Account> {
  const { endpoint, owner, stop } = await startRadosgw()
  overheard.confide('key of S3', owner.secretAccessKey)
  const url = `s3://secrets/place?endpoint=${endpoint}&accessKeyId=${owner.accessKeyId}`
  const wrong = { AWS_SECRET_ACCESS_KEY: secrets['wrong key of S3'] }
  return {
    url: `${url}&createBucket=true`,
    right: { AWS_SECRET_ACCESS_KEY: owner.secretAccessKey },
    wrong: [
      wrong,
      { ...wrong, BKP_REPOSITORY: `${url}&secretAccessKey=${encodeURIComponent(secrets['wrong key of S3'])}` },
      {
        ...wrong,
        AWS_ACCESS_KEY_ID: owner.accessKeyId,
        AWS_SESSION_TOKEN: secrets['session token of S3'],
        BKP_REPOSITORY: `s3://secrets/place?endpoint=${endpoint}`,
      },
    ],
    close: stop,
  }
}

async function b2Account(): Promise<Account> {
  const { applicationKeyId, applicationKey, bucket, realmUrl, close } = await startB2StandInProcess()
  overheard.confide('key of B2', applicationKey)
  overheard.confide('login of B2', `${applicationKeyId}:${applicationKey}`)
  const wrong = { B2_APPLICATION_KEY_ID: applicationKeyId, B2_APPLICATION_KEY: secrets['wrong key of B2'] }
  const url = `b2://${bucket}/place?realmUrl=${realmUrl}`
  return {
    url,
    right: { B2_APPLICATION_KEY_ID: applicationKeyId, B2_APPLICATION_KEY: applicationKey },
    wrong: [
      wrong,
      { ...wrong, BKP_REPOSITORY: `${url}&applicationKey=${encodeURIComponent(secrets['wrong key of B2'])}` },
      { ...wrong, BKP_REPOSITORY: `b2://${bucket}/place?realmUrl=http://127.0.0.1:1` },
    ],
    close,
  }
}

const accounts = [
  { name: 'SFTP', start: sftpAccount, isThere: hasServer('openssh') },
  { name: 'WebDAV, basic', start: () => webdavAccount('basic'), isThere: hasServer('apache') },
  { name: 'WebDAV, digest', start: () => webdavAccount('digest'), isThere: hasServer('apache') },
  { name: 'S3', start: s3Account, isThere: hasServer('ceph') },
  { name: 'B2', start: b2Account, isThere: true },
]

const work = mkdtempSync(join(tmpdir(), 'bkp-secrets-'))
const source = join(work, 'source')
mkdirSync(source)
writeFileSync(join(source, 'a file'), 'its content')
afterAll(() => rmSync(work, { recursive: true, force: true }))

const common = { BKP_PASSWORD: secrets.passphrase, DEBUG: 'bkp:*' }

/** All forms of output of one command, which runs once for each at the same time. */
function inAllForms(args: readonly string[], env: Readonly<Record<string, string>>): Promise<readonly Ran[]> {
  return Promise.all([[], ['--json']].map((more) => overheard.bkp([...args, ...more], { env: { ...common, ...env } })))
}

const expectFailures = (ran: readonly Ran[]) => {
  for (const { code, stdout, stderr } of ran) {
    expect(code).not.toBe(0)
    expect(stdout + stderr).not.toBe('')
  }
}

const present = accounts.filter(({ isThere }) => isThere).map((account, n) => ({ ...account, n }))

describe.concurrent.each(present)('by $name', ({ start, n }) => {
  let account: Account

  beforeAll(async () => {
    account = await start()
  })
  afterAll(() => account?.close())

  // Each in one form with this server, and in the other one with the next.
  const run = (command: number, args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
    overheard.bkp((n + command) % 2 === 0 ? args : [...args, '--json'], {
      env: { ...common, BKP_REPOSITORY: account.url, ...account.right, ...env },
    })

  it.sequential('no command says a secret', async () => {
    const { ran } = await overheard.init(() =>
      overheard.bkp(['init'], { env: { ...common, BKP_REPOSITORY: account.url, ...account.right } }),
    )
    expect(ran.code).toBe(0)
    const commands = [
      ['backup', source],
      ['snapshots'],
      ['ls', 'latest'],
      ['check', '--read-data'],
      ['destinations', 'test'],
      ['destinations', 'status'],
      ['doctor'],
      ['stats'],
    ]
    for (const [command, args] of commands.entries()) {
      const { code, stderr, stdout } = await run(command, args)
      expect({ args, code, said: code === 0 ? '' : stdout + stderr }).toMatchObject({ code: 0 })
    }
    expectFailures([
      await run(0, ['snapshots'], { BKP_PASSWORD: secrets['wrong passphrase'] }),
      await run(1, ['snapshots', '--recovery-code'], { BKP_RECOVERY_CODE: secrets['wrong recovery code'] }),
      await run(2, ['init']),
    ])
    // Of several, one that is refused is a laggard: its URL is in the results.
    for (const { BKP_REPOSITORY: refused } of account.wrong) {
      if (refused === undefined) continue
      const several = { BKP_REPOSITORY: '', BKP_DESTINATIONS: `${account.url} ${refused}` }
      for (const [command, args] of [['backup', source], ['check'], ['sync']].entries())
        await run(command, args, several)
    }
    expect(overheard.leaks()).toEqual([])
  })

  it.sequential('no error of wrong credentials does', async () => {
    for (const wrong of account.wrong) {
      const env = { ...common, BKP_REPOSITORY: account.url, ...wrong }
      for (const args of [['snapshots'], ['backup', source, '--json'], ['destinations', 'test', '--json']])
        expectFailures([await overheard.bkp(args, { env })])
    }
    expect(overheard.leaks()).toEqual([])
  })
})

describe('the configuration', () => {
  const file = join(work, 'config.yaml')
  const config = (...lines: string[]) => writeFileSync(file, lines.join('\n'), { mode: 0o600 })
  const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
    inAllForms([...args, '--config', file], { BKP_PASSWORD: '', ...env })
  const destinations = [
    'version: 1',
    'repositories:',
    '  home:',
    `    password: "${secrets.passphrase}"`,
    '    destinations:',
    '      b2:',
    '        url: b2://bucket/place?realmUrl=http://127.0.0.1:1',
    `        options: { applicationKeyId: "005", applicationKey: "${secrets['wrong key of B2']}" }`,
    '      cloud:',
    '        url: webdav://127.0.0.1:1/place',
    `        options: { username: ann, password: "literal:${secrets['password of WebDAV']}" }`,
    '      nas:',
    '        url: sftp://ann@127.0.0.1:1/place',
    `        options: { password: "${secrets['password of SFTP']}", keyPassphrase: "${secrets['passphrase of the SSH key']}" }`,
    '      s3:',
    '        url: s3://bucket/place?endpoint=http://127.0.0.1:1',
    `        options: { accessKeyId: me, secretAccessKey: "${secrets['wrong key of S3']}", sessionToken: "${secrets['session token of S3']}", customerKey: "${secrets['customer key of S3']}" }`,
  ]

  it('is shown, checked and exported without its secrets', async () => {
    config(...destinations)
    const commands = [
      ['config', 'show'],
      ['config', 'validate'],
      ['config', 'export'],
      ['destinations', 'list'],
    ]
    for (const args of commands) for (const { code } of await run(args)) expect(code).toBe(0)
    // One after the other, since all write the same files.
    const inTurn = async (args: readonly string[], password: string) => {
      const env = { ...common, BKP_PASSWORD: '', BKP_EXPORT_PASSWORD: password }
      return [await overheard.bkp(args, { env }), await overheard.bkp([...args, '--json'], { env })]
    }
    const sealed = join(work, 'config.age')
    const exporting = ['config', 'export', '--with-secrets', '--output', sealed, '--config', file, '--force']
    const importing = ['config', 'import', sealed, '--config', join(work, 'imported.yaml'), '--force']
    for (const args of [exporting, importing])
      for (const { code } of await inTurn(args, secrets['passphrase of the export'])) expect(code).toBe(0)
    expectFailures(await inTurn(importing, secrets['wrong passphrase']))
    expect(overheard.leaks()).toEqual([])
  })

  it('that is wrong is told of without its secrets, also where the wrong line holds one', async () => {
    const wrong = [
      [...destinations, '   what: [is this'],
      destinations.map((line) => line.replace('applicationKey:', 'aplicationKey:')),
      destinations.map((line) => line.replace(/applicationKey: (".*?")/, 'applicationKey: [$1]')),
      destinations.map((line) => line.replace(/applicationKey: (".*?") /, 'applicationKey: $1" ')),
      destinations.map((line) => line.replace('password:', 'pasword:')),
      destinations.map((line) =>
        line.replace('//127.0.0.1:1', `//ann:${encodeURIComponent(secrets['password of SFTP'])}@127.0.0.1:1`),
      ),
      destinations.map((line) =>
        line.replace('?realmUrl', `?applicationKey=${encodeURIComponent(secrets['wrong key of B2'])}&realmUrl`),
      ),
    ]
    for (const [n, lines] of wrong.entries()) {
      config(...lines)
      const run = (args: readonly string[], form: number) =>
        overheard.bkp([...args, '--config', file, ...(form % 2 === 0 ? [] : ['--json'])], {
          env: { ...common, BKP_PASSWORD: '' },
        })
      const commands = [
        ['backup', source, '--to', 'home'],
        ['config', 'show'],
        ['destinations', 'list'],
      ]
      const others = [...commands, ['config', 'export']].map((args) => run(args, n))
      expectFailures([await run(['config', 'validate'], n + 1)])
      await Promise.all(others)
    }
    expect(overheard.leaks()).toEqual([])
  })

  it('with places that nobody can reach says so without its secrets', async () => {
    config(...destinations)
    const places = ['b2', 'cloud', 'nas', 's3']
    expectFailures((await Promise.all(places.map((place) => run(['destinations', 'test', '--to', place])))).flat())
    expect(overheard.leaks()).toEqual([])
  })
})

describe('programs that bkp starts', () => {
  it('get neither passphrase nor recovery code, in their arguments or in their environment', async () => {
    const repository = join(work, 'repository')
    const file = join(work, 'passphrase')
    writeFileSync(file, `${secrets.passphrase}\n`)
    await overheard.init(() =>
      overheard.bkp(['init', '--to', repository, '--password-file', file], { env: { BKP_PASSWORD: '' } }),
    )
    const env = { ...common, BKP_RECOVERY_CODE: secrets['wrong recovery code'] }
    const stored = ['backup', '--from-command', 'sleep 0.3; env', '--stdin-name', 'environment', '--to', repository]
    expect((await overheard.bkp(stored, { env })).code).toBe(0)
    const dumped = await overheard.bkp(['dump', 'latest:/environment', '--from', repository], { env })
    expect(dumped.code).toBe(0)
    expect(dumped.stdout).toContain('PATH=')
    const asked = ['snapshots', '--from', repository, '--password-command', `sleep 0.3; cat ${file}`]
    expect((await overheard.bkp(asked, { env: { BKP_PASSWORD: '' } })).code).toBe(0)
    expectFailures([await overheard.bkp([...asked.slice(0, -1), `cat ${file}; exit 3`], { env: { BKP_PASSWORD: '' } })])
    overheard.expectNoLeaks()
  })
})
