import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { isPlugin, type Storage, type StorageFactory } from '@bkp/plugin-api'
import { describeStorage } from '@bkp/testkit'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { RetryingStorage } from '../../packages/core/src/ports/retrying.js'
import { backUpAndRestore, examples, folderOfExample, run } from '../support/examples.js'
import { makeGitProject } from '../support/git-project.js'
import { startApache } from './support/apache.js'
import { hasServer } from './support/servers.js'
import type { WebServer } from './support/web-server.js'

const example = folderOfExample('storage-rclone')
const entry = pathToFileURL(join(example, 'dist/index.js'))
const log = { debug: () => undefined, info: () => undefined, warn: () => undefined }
// Every put is half a dozen requests of rclone, and the suite makes thousands.
vi.setConfig({ testTimeout: 400_000 })
const login = { scheme: 'basic', username: 'ann', password: 'hunter2-hunter2' } as const

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
  let folder: string
  let config: string
  let server: WebServer
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'bkp-rclone-servers-'))
    config = join(folder, 'rclone.conf')
    for (const name of examples) await run('npm', ['run', '--silent', 'build'], folderOfExample(name))
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

  it('passes its own tests, on a folder of this machine', async () => {
    expect(await run('npm', ['test', '--silent'], example)).toMatch(/Tests .*passed/)
  })

  // Each of its tests has a place and an rclone of its own, and waits most of the time.
  describe.concurrent('side by side', () => {
    describeStorage('rclone, WebDAV by Apache', {
      async open() {
        const place = `r-${randomBytes(6).toString('hex')}`
        const url = `rclone://dav/some%20where/${place}`
        const dispose = async () => rmSync(join(server.documents, 'some where', place), { recursive: true })
        // As core uses it: a read that meets a replacement in the middle is cut off by Apache, which is transient.
        const patiently = async (intent: 'create' | 'open') => new RetryingStorage(await open(url, config, intent))
        return { url, storage: await patiently('create'), reopen: () => patiently('open'), dispose }
      },
      process: ({ url }) => ({ entry, id: 'rclone', url, configuration: { config } }),
      // rclone reads whole lists itself: they have no pages here.
      listedObjects: 60,
    })
  })

  it('takes a git repository, packed by brotli, and gives it back: the three examples together', async () => {
    const project = makeGitProject(folder)
    const target = join(folder, 'restored')
    const { second } = await backUpAndRestore({
      pluginDirectories: examples.map(folderOfExample),
      url: 'rclone://dav/backups/of%20git',
      options: { config },
      repository: project.repository,
      change: project.change,
      target,
    })
    expect(second.issues).toEqual([])
    expect(project.clone(join(target, 'project.bundle'))).toEqual({ head: project.head(), fsck: '' })
  })

  it('says auth, and no secret, when the login is wrong', async () => {
    const failure = await open('rclone://stranger/backup', config, 'open').catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'auth' })
    expect(String((failure as Error).message)).not.toContain(login.password)
  })

  it('says offline when the server is gone, and goes on when it is back', async () => {
    const storage = await open('rclone://dav/break', config, 'create')
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
