import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isPortError, type PortError } from '@bkp/plugin-api'
import { expectPortRejection, randomLikeBytes } from '@bkp/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type OpenSsh, startOpenSsh } from './support/openssh.js'
import { type BreakingProxy, startProxy } from './support/proxy.js'
import { freePort, hasServer } from './support/servers.js'
import { newFolder, openSftp } from './support/sftp.js'

const mebibyte = 1_048_576
const large = randomLikeBytes(32 * mebibyte)
const small = randomLikeBytes(1000, 2)

describe.runIf(hasServer('openssh'))('an OpenSSH server behind jump hosts', () => {
  let nas: OpenSsh
  let bastion: OpenSsh
  let inner: OpenSsh
  let closed: OpenSsh
  let line: BreakingProxy
  let root: string
  let sshConfig: string
  let knownHosts: string

  beforeAll(async () => {
    ;[nas, bastion, inner, closed] = await Promise.all([
      startOpenSsh(),
      startOpenSsh(),
      startOpenSsh(),
      startOpenSsh({ lines: ['AllowTcpForwarding no'] }),
    ])
    line = await startProxy(bastion.port)
    root = newFolder(nas)
    knownHosts = join(nas.folder, 'known_hosts_of_all')
    writeFileSync(knownHosts, [nas, bastion, inner, closed].map((one) => readFileSync(one.knownHosts)).join(''))
    sshConfig = join(nas.folder, 'ssh_config')
    // Every one lets in by its own key alone.
    const block = (alias: string, { port, privateKey }: OpenSsh, ...more: string[]) =>
      [`Host ${alias}`, `Port ${port}`, `IdentityFile ${privateKey}`, ...more].join('\n  ')
    writeFileSync(
      sshConfig,
      [
        block('nas', nas, 'ProxyJump bastion'),
        block('nas-by-two', nas, 'ProxyJump bastion,inner'),
        block('nas-by-chain', nas, 'ProxyJump inner-by-bastion'),
        block('nas-by-closed', nas, 'ProxyJump closed'),
        block('nas-by-line', nas, 'ProxyJump on-a-line'),
        block('nas-by-command', nas, 'ProxyCommand touch /tmp/never'),
        block('nas-by-stranger', nas, 'ProxyJump stranger'),
        block('nowhere', { ...nas, port: await freePort() }, 'ProxyJump bastion'),
        block('bastion', bastion),
        block('inner', inner),
        block('inner-by-bastion', inner, 'ProxyJump bastion'),
        block('closed', closed),
        block('stranger', bastion, 'HostKeyAlias stranger'),
        `Host on-a-line\n  Port ${line.port}\n  IdentityFile ${bastion.privateKey}\n  StrictHostKeyChecking no`,
        `Host *\n  HostName 127.0.0.1\n  UserKnownHostsFile ${knownHosts}`,
      ].join('\n'),
    )
  })

  afterAll(async () => {
    await line.stop()
    await Promise.all([nas, bastion, inner, closed].map((server) => server.stop()))
  })

  const open = (host: string, options: Readonly<Record<string, unknown>> = {}, asking = {}) =>
    openSftp(`sftp://${nas.user}@${host}${root}`, { sshConfig, agent: 'none', ...options }, asking)

  async function failure(host: string, options: Readonly<Record<string, unknown>> = {}): Promise<PortError> {
    const error = await open(host, options).then(
      () => undefined,
      (reason: unknown) => reason,
    )
    if (!isPortError(error)) throw error ?? new Error('it was opened')
    return error
  }

  /** How often somebody logged in, by server. */
  const logins = () =>
    [bastion, inner, nas].map((server) => server.log().split('Accepted publickey').length - 1) as [
      number,
      number,
      number,
    ]

  async function loginsOf(host: string, options: Readonly<Record<string, unknown>> = {}): Promise<number[]> {
    const before = logins()
    const storage = await open(host, { channels: 1, ...options })
    await storage.put('packs/ab/object', large)
    expect(Buffer.compare(await storage.get('packs/ab/object'), large)).toBe(0)
    await storage.close()
    return logins().map((count, n) => count - (before[n] ?? 0))
  }

  it('is reached through one and through two, each with the key of its Host block', async () => {
    expect(await loginsOf('nas')).toEqual([1, 0, 1])
    expect(await loginsOf('nas-by-two')).toEqual([1, 1, 1])
    expect(await loginsOf('nas-by-chain')).toEqual([1, 1, 1])
  })

  it('is reached as the option proxyJump says, whatever the ssh configuration does', async () => {
    expect(await loginsOf('nas', { proxyJump: 'none' })).toEqual([0, 0, 1])
    expect(await loginsOf('nas', { proxyJump: 'bastion,inner' })).toEqual([1, 1, 1])
    expect(await loginsOf('nas-by-command', { proxyJump: 'bastion' })).toEqual([1, 0, 1])
    const account = `${bastion.user}@127.0.0.1:${bastion.port}`
    // Without a Host block for it, the key of the destination is tried.
    const options = { privateKey: bastion.privateKey, knownHosts, proxyJump: account }
    expect(await loginsOf('nas', options)).toEqual([1, 0, 1])
  })

  it('takes several connections at once through them', async () => {
    const storage = await open('nas-by-two')
    await Promise.all(Array.from({ length: 8 }, (_, n) => storage.put(`packs/${n}`, large.subarray(0, mebibyte))))
    for (let n = 0; n < 8; n++) expect(await storage.get(`packs/${n}`)).toHaveLength(mebibyte)
    await storage.close()
  })

  it('is not gone to through a host with an unknown key, which is asked about by its name', async () => {
    const refused = await failure('nas-by-stranger')
    expect(refused).toMatchObject({
      code: 'config',
      message: expect.stringContaining('The server stranger is not known'),
    })
    expect(refused.hint).not.toContain('hostKey=')
    const questions: string[] = []
    const confirm = async (question: string) => questions.push(question) < 0
    await expect(open('nas-by-stranger', {}, { confirm })).rejects.toMatchObject({ code: 'config' })
    expect(questions).toEqual([expect.stringContaining('The server stranger is not known yet')])
  })

  it('has its own key checked behind a host that is known', async () => {
    const empty = join(nas.folder, 'known_hosts_of_bastion')
    writeFileSync(empty, readFileSync(bastion.knownHosts))
    expect(await failure('nas', { knownHosts: empty })).toMatchObject({
      code: 'config',
      message: expect.stringContaining(`The server [127.0.0.1]:${nas.port} is not known`),
    })
  })

  it('says which host does not forward, does not let in, or cannot be reached', async () => {
    expect(await failure('nas-by-closed')).toMatchObject({
      code: 'forbidden',
      message: expect.stringContaining(
        `The jump host 127.0.0.1:${closed.port} does not forward to 127.0.0.1:${nas.port}`,
      ),
      hint: expect.stringContaining('AllowTcpForwarding'),
    })
    expect(await failure('nas', { proxyJump: `127.0.0.1:${bastion.port}`, knownHosts })).toMatchObject({
      code: 'auth',
      message: expect.stringContaining(`127.0.0.1:${bastion.port}`),
    })
    expect(await failure('nowhere')).toMatchObject({
      code: 'offline',
      message: expect.stringContaining(`The jump host 127.0.0.1:${bastion.port} cannot reach 127.0.0.1:`),
    })
    const port = await freePort()
    expect(await failure('nas', { proxyJump: `127.0.0.1:${port}` })).toMatchObject({
      code: 'offline',
      message: expect.stringContaining(`127.0.0.1:${port}`),
    })
  })

  it('behind a ProxyCommand is refused, with what to do', async () => {
    expect(await failure('nas-by-command')).toMatchObject({
      code: 'unsupported',
      message: 'The ssh configuration reaches nas-by-command by ProxyCommand, which bkp does not run',
      hint: expect.stringContaining('proxyJump'),
    })
  })

  it('is connected to anew after the line to a jump host was cut, or stalled, in the middle of a put', async () => {
    const storage = await open('nas-by-line', { deadAfterSeconds: 1 })
    for (const breakLine of [() => line.cut(), () => line.stall()]) {
      const passed = line.passed(5 * mebibyte)
      const putting = expectPortRejection('transient', () => storage.put('packs/cd/object', large))
      await passed
      breakLine()
      await putting
      line.flow()
      await storage.put('packs/cd/object', small)
      expect(Buffer.compare(await storage.get('packs/cd/object'), small)).toBe(0)
    }
    await storage.close()
  })
})
