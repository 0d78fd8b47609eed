import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { isPlugin, type Storage, type StorageFactory } from '@bkp/plugin-api'
import { describeStorage } from '@bkp/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startApache } from './support/apache.js'
import { hasServer } from './support/servers.js'
import type { WebServer } from './support/web-server.js'

const example = fileURLToPath(new URL('../../examples/storage-rclone/', import.meta.url))
const entry = pathToFileURL(join(example, 'dist/index.js'))
const modules = fileURLToPath(new URL('../../node_modules/', import.meta.url))
const log = { debug: () => undefined, info: () => undefined, warn: () => undefined }
const login = { scheme: 'basic', username: 'ann', password: 'hunter2-hunter2' } as const

/** Runs a program of ours in the folder of the example, as its author does. */
function inExample(program: string, ...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(modules, program), ...args], {
    cwd: example,
    encoding: 'utf8',
  })
  expect(status, stdout + stderr).toBe(0)
  return stdout
}

async function open(url: string, config: string, intent: 'create' | 'open'): Promise<Storage> {
  const plugin: unknown = ((await import(entry.href)) as { default?: unknown }).default
  if (!isPlugin(plugin)) throw new Error('the example exports no plugin')
  const factories = new Map<string, StorageFactory>()
  await plugin.activate({
    apiVersion: '1.1.0',
    log,
    registerNotifier: () => undefined,
    registerStorage: (id, factory) => factories.set(id, factory),
  })
  const factory = factories.get('rclone')
  if (factory === undefined) throw new Error('the example has no storage rclone')
  return factory({ url, configuration: { config }, intent, log })
}

describe.runIf(hasServer('rclone') && hasServer('apache'))('the example storage-rclone', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bkp-rclone-servers-'))
  const config = join(folder, 'rclone.conf')
  let server: WebServer
  beforeAll(async () => {
    inExample('typescript/bin/tsc')
    server = await startApache({ login })
    const { stdout: password } = spawnSync('rclone', ['obscure', login.password], { encoding: 'utf8' })
    const [url, lines] = [`http://127.0.0.1:${server.port}`, ['type = webdav', 'vendor = other']]
    const account = [`user = ${login.username}`, `pass = ${password.trim()}`]
    writeFileSync(
      config,
      ['[dav]', ...lines, `url = ${url}`, ...account, '[stranger]', ...lines, `url = ${url}`].join('\n'),
    )
  })
  afterAll(async () => {
    await server.stop()
    rmSync(folder, { recursive: true })
  })

  it('passes its own tests, on a folder of this machine', () => {
    expect(inExample('vitest/vitest.mjs', 'run')).toContain('passed')
  })

  describeStorage('rclone, WebDAV by Apache', {
    async open() {
      const place = `r-${randomBytes(6).toString('hex')}`
      const url = `rclone:dav:some where/${place}`
      const dispose = async () => rmSync(join(server.documents, 'some where', place), { recursive: true })
      return { url, storage: await open(url, config, 'create'), reopen: () => open(url, config, 'open'), dispose }
    },
    process: ({ url }) => ({ entry, id: 'rclone', url, configuration: { config } }),
  })

  it('says auth, and no secret, when the login is wrong', async () => {
    const failure = await open('rclone:stranger:backup', config, 'open').catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'auth' })
    expect(String((failure as Error).message)).not.toContain(login.password)
  })

  it('says offline when the server is gone, and goes on when it is back', async () => {
    const storage = await open('rclone:dav:break', config, 'create')
    try {
      await server.kill()
      await expect(storage.put('object', Buffer.from('content'))).rejects.toMatchObject({ code: 'offline' })
      await server.restart()
      await storage.put('object', Buffer.from('content'))
      expect(Buffer.from(await storage.get('object')).toString()).toBe('content')
    } finally {
      await storage.close()
    }
  })
})
