import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PortError, Secret } from '@bkp/plugin-api'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeKey, type OpenSsh, startOpenSsh } from './support/openssh.js'
import { hasServer } from './support/servers.js'
import { accessTo, newFolder, openSftp } from './support/sftp.js'

const passphrase = 'correct horse battery'

describe.runIf(hasServer('openssh'))('logging in to OpenSSH', () => {
  let server: OpenSsh
  let root: string
  const at = (name: string) => join(server.folder, name)
  const allow = (key: string) => {
    writeFileSync(server.authorizedKeys, readFileSync(`${at(key)}.pub`), { flag: 'a' })
  }

  beforeAll(async () => {
    server = await startOpenSsh()
    root = newFolder(server)
    for (const type of ['ed25519', 'ecdsa', 'rsa']) {
      makeKey(at(type), '', type)
      makeKey(at(`${type}-locked`), passphrase, type)
      allow(type)
      allow(`${type}-locked`)
    }
    makeKey(at('stranger'))
  })

  afterAll(() => server.stop())

  /** Opens with these options instead of the usual key. */
  async function logIn(options: Readonly<Record<string, unknown>>, url = server.url(root)): Promise<void> {
    const { privateKey: _, ...access } = accessTo(server)
    const storage = await openSftp(url, { ...access, ...options })
    await storage.put('bkp.json', Buffer.from('in'))
    await storage.close()
  }

  async function refusal(options: Readonly<Record<string, unknown>>): Promise<PortError> {
    const error = await logIn(options).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(PortError)
    expect(inspected(error)).not.toContain(passphrase)
    return error as PortError
  }

  it.each(['ed25519', 'ecdsa', 'rsa'])('works by a key file of type %s', (type) => logIn({ privateKey: at(type) }))

  it.each(['ed25519', 'ecdsa', 'rsa'])('works by an encrypted key file of type %s', (type) =>
    logIn({ privateKey: at(`${type}-locked`), keyPassphrase: new Secret(passphrase) }),
  )

  it('works by an encrypted key file in the old format', () => {
    copyFileSync(at('rsa-locked'), at('rsa-pem'))
    const change = ['-q', '-p', '-m', 'PEM', '-P', passphrase, '-N', passphrase, '-f', at('rsa-pem')]
    execFileSync('ssh-keygen', change, { stdio: 'ignore' })
    expect(readFileSync(at('rsa-pem'), 'utf8')).toContain('BEGIN RSA PRIVATE KEY')
    return logIn({ privateKey: at('rsa-pem'), keyPassphrase: new Secret(passphrase) })
  })

  it('says that an encrypted key needs a passphrase, and another when it is wrong', async () => {
    const privateKey = at('ed25519-locked')
    expect(await refusal({ privateKey })).toMatchObject({
      code: 'auth',
      message: `The key ${privateKey} is encrypted, and no passphrase was given`,
      hint: expect.stringContaining('BKP_SFTP_KEY_PASSPHRASE'),
    })
    for (const type of ['ed25519', 'rsa']) {
      const wrong = { privateKey: at(`${type}-locked`), keyPassphrase: new Secret('wrong horse') }
      expect(await refusal(wrong)).toMatchObject({
        code: 'auth',
        message: `The passphrase does not open the key ${at(`${type}-locked`)}`,
      })
    }
  })

  it('says which key file is missing, or is none', async () => {
    expect(await refusal({ privateKey: at('nothing') })).toMatchObject({ code: 'config' })
    expect(await refusal({ privateKey: at('ed25519.pub') })).toMatchObject({
      code: 'auth',
      message: `${at('ed25519.pub')} holds no private key`,
    })
  })

  it('names user, server and what was tried when it is refused', async () => {
    expect(await refusal({ privateKey: at('stranger'), password: new Secret(passphrase) })).toMatchObject({
      code: 'auth',
      message: `127.0.0.1:${server.port} does not let ${server.user} in; tried the key ${at('stranger')}`,
    })
  })

  it('says that there is nothing to log in with', async () => {
    writeFileSync(at('no-keys'), `Host *\n IdentityFile ${at('nothing')}\n`)
    expect(await refusal({ sshConfig: at('no-keys') })).toMatchObject({
      code: 'auth',
      message: `There is no key and no password to log in to 127.0.0.1:${server.port} as ${server.user}`,
    })
  })

  describe('by an agent', () => {
    let socket: string
    let agent: ReturnType<typeof spawn>

    beforeAll(async () => {
      socket = at('agent.sock')
      agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: ['ignore', 'pipe', 'inherit'] })
      if (agent.stdout === null) throw new Error('ssh-agent has no output')
      // It prints where it listens once it does.
      await once(agent.stdout, 'data')
      for (const name of ['stranger', 'ecdsa'])
        execFileSync('ssh-add', ['-q', at(name)], { env: { ...process.env, SSH_AUTH_SOCK: socket }, stdio: 'ignore' })
    })

    afterAll(async () => {
      const ended = once(agent, 'exit')
      agent.kill()
      await ended
    })

    it('works', () => logIn({ agent: socket }))

    it('works with a key file that only the agent can open', () =>
      logIn({ agent: socket, privateKey: at('ed25519-locked') }))

    it('offers only the keys that the ssh configuration names, where it says so', async () => {
      const config = (key: string) => {
        writeFileSync(at('only'), `Host *\n IdentitiesOnly yes\n IdentityFile ${at(key)}-gone\n`)
        copyFileSync(`${at(key)}.pub`, `${at(key)}-gone.pub`)
        return { agent: socket, sshConfig: at('only') }
      }
      await logIn(config('ecdsa'))
      expect(await refusal(config('stranger'))).toMatchObject({
        message: expect.stringContaining('tried 1 key of the agent'),
      })
    })

    it('goes on with key files when the agent is gone', async () => {
      await logIn({ agent: at('no-agent.sock'), privateKey: at('ed25519') })
      expect(await refusal({ agent: at('no-agent.sock'), privateKey: at('stranger') })).toMatchObject({
        message: expect.stringContaining(`(The agent at ${at('no-agent.sock')} does not answer)`),
      })
    })
  })

  it('takes everything from an alias of the ssh configuration', async () => {
    const lines = [
      'Host my-nas',
      '  HostName 127.0.0.1',
      `  Port ${server.port}`,
      `  User ${server.user}`,
      `  IdentityFile ${at('rsa')}`,
      `  UserKnownHostsFile ${server.knownHosts}`,
    ]
    writeFileSync(at('alias'), lines.join('\n'))
    const storage = await openSftp(`sftp://my-nas${root}`, { sshConfig: at('alias'), agent: 'none' })
    await storage.put('bkp.json', Buffer.from('by alias'))
    await storage.close()
    expect(readFileSync(join(root, 'bkp.json'), 'utf8')).toBe('by alias')
  })
})

function inspected(error: unknown): string {
  const { message, hint, stack, cause } = error as PortError
  return JSON.stringify([message, hint, stack, String(cause), cause])
}
