import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isPortError, type PortError } from '@bkp/plugin-api'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { makeKey, type OpenSsh, startOpenSsh } from './support/openssh.js'
import { hasServer } from './support/servers.js'
import { accessTo, newFolder, openSftp } from './support/sftp.js'

describe.runIf(hasServer('openssh'))('the key of an OpenSSH server', () => {
  let server: OpenSsh
  let root: string
  let fingerprint: string
  let knownHosts: string
  let count = 0

  beforeAll(async () => {
    server = await startOpenSsh()
    root = newFolder(server)
    fingerprint = fingerprintIn(server.hostKey)
  })

  beforeEach(() => {
    knownHosts = join(server.folder, `ssh-${count++}/known_hosts`)
  })

  afterAll(() => server.stop())

  async function meet(
    options: Readonly<Record<string, unknown>> = {},
    confirm?: (question: string) => Promise<boolean>,
  ): Promise<PortError | 'in'> {
    try {
      const asking = confirm === undefined ? {} : { confirm }
      const storage = await openSftp(server.url(root), { ...accessTo(server), knownHosts, ...options }, asking)
      await Promise.all(Array.from({ length: 8 }, (_, n) => storage.put(`object-${n}`, Buffer.from('x'))))
      await storage.close()
      return 'in'
    } catch (error) {
      if (!isPortError(error)) throw error
      return error
    }
  }

  const name = () => `[127.0.0.1]:${server.port}`

  it('that is unknown is an error where nobody can be asked, with its fingerprint and what to do', async () => {
    expect(await meet()).toMatchObject({
      code: 'config',
      message: `The server ${name()} is not known: its key, ssh-ed25519 ${fingerprint}, is not in ${knownHosts}`,
      hint: expect.stringContaining(`hostKey=${fingerprint}`),
    })
    expect(existsSync(knownHosts)).toBe(false)
  })

  it('that is unknown is asked for once, with its fingerprint, and a yes is kept for later runs', async () => {
    const questions: string[] = []
    const yes = async (question: string) => questions.push(question) > 0
    expect(await meet({}, yes)).toBe('in')
    expect(questions).toEqual([
      `The server ${name()} is not known yet. Its key is ssh-ed25519 ${fingerprint}. Is this the right server?`,
    ])
    expect(statSync(knownHosts).mode & 0o777).toBe(0o600)
    expect(readFileSync(knownHosts, 'utf8')).toMatch(/^\[127\.0\.0\.1\]:\d+ ssh-ed25519 \S+\n$/)
    expect(await meet()).toBe('in')
    expect(execFileSync('ssh-keygen', ['-F', name(), '-f', knownHosts], { encoding: 'utf8' })).toContain('found')
  })

  it('may be asked about for longer than a server waits for a login', async () => {
    const slowYes = () => new Promise<boolean>((resolve) => setTimeout(resolve, 1500, true))
    expect(await meet({ connectTimeoutSeconds: 1 }, slowYes)).toBe('in')
  })

  it('that is unknown is an error after the answer no, and nothing is kept', async () => {
    expect(await meet({}, async () => false)).toMatchObject({ code: 'config' })
    expect(existsSync(knownHosts)).toBe(false)
  })

  it('is added to what is known already, also behind a line without an end', async () => {
    expect(await meet({ acceptNewHostKey: true })).toBe('in')
    const line = readFileSync(knownHosts, 'utf8')
    writeFileSync(knownHosts, '# mine')
    expect(await meet({ acceptNewHostKey: true })).toBe('in')
    expect(readFileSync(knownHosts, 'utf8')).toBe(`# mine\n${line}`)
  })

  it('is written and read as a hash where the ssh configuration wants it', async () => {
    const sshConfig = join(server.folder, 'hashing')
    writeFileSync(sshConfig, 'HashKnownHosts yes\n')
    expect(await meet({ sshConfig, acceptNewHostKey: true })).toBe('in')
    expect(readFileSync(knownHosts, 'utf8')).toMatch(/^\|1\|/)
    expect(execFileSync('ssh-keygen', ['-F', name(), '-f', knownHosts], { encoding: 'utf8' })).toContain('found')
    expect(await meet()).toBe('in')
  })

  it('that has changed is refused, whatever the user says, with the line of the known one', async () => {
    expect(await meet({ acceptNewHostKey: true })).toBe('in')
    makeKey(join(server.folder, `other-${count}`))
    const other = readFileSync(join(server.folder, `other-${count}.pub`), 'utf8')
    const text = `# first line\n${name()} ${other}`
    writeFileSync(knownHosts, text)
    const isAsked = () => Promise.reject(new Error('nobody should be asked'))
    expect(await meet({ acceptNewHostKey: true }, isAsked)).toMatchObject({
      code: 'config',
      message: `The key of ${name()} has changed: it is ssh-ed25519 ${fingerprint}, and not the one of line 2 of ${knownHosts}`,
      hint: expect.stringContaining(`ssh-keygen -R '${name()}'`),
    })
    expect(readFileSync(knownHosts, 'utf8')).toBe(text)
  })

  it('that is revoked is refused', async () => {
    expect(await meet({ acceptNewHostKey: true })).toBe('in')
    const [, type, key] = readFileSync(knownHosts, 'utf8').trim().split(' ')
    writeFileSync(knownHosts, `@revoked * ${type} ${key}\n`, { flag: 'a' })
    expect(await meet()).toMatchObject({ code: 'config', message: expect.stringContaining('is revoked by line 2') })
  })

  it('may be told by its fingerprint, and no file is asked then', async () => {
    expect(await meet({ hostKey: fingerprint })).toBe('in')
    expect(await meet({ hostKey: fingerprint.slice('SHA256:'.length) })).toBe('in')
    expect(await meet({ hostKey: `SHA256:${'A'.repeat(43)}`, acceptNewHostKey: true })).toMatchObject({
      code: 'config',
      message: expect.stringContaining('as the option hostKey says'),
    })
    expect(existsSync(knownHosts)).toBe(false)
  })
})

function fingerprintIn(file: string): string {
  return execFileSync('ssh-keygen', ['-l', '-f', file], { encoding: 'utf8' }).split(' ')[1] ?? ''
}
