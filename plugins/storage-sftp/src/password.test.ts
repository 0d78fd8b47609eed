import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { constants } from 'node:fs'
import { type PortError, Secret, type Storage } from '@bkp/plugin-api'
import ssh2, { type AuthContext } from 'ssh2'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openSftpStorage } from './open-storage.js'

const password = 'open sesame 123'

/** What a server offers, and how it answers; it has one empty folder. Real ones are in test/servers: they need users. */
class PasswordServer {
  methods: ('password' | 'keyboard-interactive')[] = ['password']
  readonly #server: InstanceType<typeof ssh2.Server>

  constructor() {
    const { privateKey } = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
      publicKeyEncoding: { type: 'pkcs1', format: 'pem' },
    })
    this.#server = new ssh2.Server({ hostKeys: [privateKey] }, (client) => {
      client.on('error', () => undefined)
      client.on('authentication', (context) => this.#judge(context))
      client.on('session', (accept) => {
        accept().on('sftp', (acceptSftp) => {
          const sftp = acceptSftp()
          sftp.on('STAT', (id) => {
            const mode = constants.S_IFDIR | 0o700
            sftp.attrs(id, { mode, uid: 0, gid: 0, size: 0, atime: 0, mtime: 0 })
          })
          sftp.on('OPENDIR', (id) => sftp.status(id, ssh2.utils.sftp.STATUS_CODE.NO_SUCH_FILE))
        })
      })
    })
  }

  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return (this.#server.address() as { port: number }).port
  }

  close(): void {
    this.#server.close()
  }

  #judge(context: AuthContext): void {
    const { method } = context
    if (method === 'password' && this.methods.includes(method) && context.password === password) context.accept()
    else if (method === 'keyboard-interactive' && this.methods.includes(method)) {
      context.prompt([{ prompt: 'Password: ', echo: false }], (answers) => {
        if (answers[0] === password) context.accept()
        else context.reject(this.methods)
      })
    } else context.reject(this.methods)
  }
}

describe('a password', () => {
  const server = new PasswordServer()
  let port: number
  const said: string[] = []
  const keep = (message: string, details?: unknown) => {
    said.push(message, JSON.stringify(details ?? ''))
  }

  beforeAll(async () => {
    port = await server.listen()
  })

  afterAll(() => server.close())

  function logIn(secret: string): Promise<Storage> {
    return openSftpStorage({
      url: `sftp://me@127.0.0.1:${port}/repository`,
      configuration: {
        password: new Secret(secret),
        agent: 'none',
        acceptNewHostKey: true,
        knownHosts: '/dev/null',
        sshConfig: '/dev/null',
      },
      intent: 'open',
      log: { debug: keep, info: keep, warn: keep },
    })
  }

  it.each(['password', 'keyboard-interactive'] as const)('lets in where the server offers %s', async (method) => {
    server.methods = [method]
    const storage = await logIn(password)
    // Nothing says that a name is taken atomically on a server that is not OpenSSH and makes no hard links.
    expect(storage.capabilities.conditionalCreate).toBe(false)
    await storage.close()
  })

  it.each(['password', 'keyboard-interactive'] as const)(
    'that is wrong is an error without it, by %s',
    async (method) => {
      server.methods = [method]
      const wrong = 'close sesame 456'
      const error = (await logIn(wrong).catch((reason: unknown) => reason)) as PortError
      expect(error).toMatchObject({
        code: 'auth',
        message: expect.stringContaining(`127.0.0.1:${port} does not let me in; tried`),
      })
      const shown = JSON.stringify([error.message, error.hint, error.stack, String(error.cause), error.cause])
      expect(shown).not.toContain(wrong)
      expect(said.join('\n')).not.toContain('sesame')
    },
  )
})
