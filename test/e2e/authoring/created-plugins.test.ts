import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createEngine } from '@bkp/core'
import { Secret } from '@bkp/plugin-api'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { plainBackup } from '../../support/plain-backup.js'
import { bkp } from '../../support/run-bkp.js'

const run = promisify(execFile)
const kinds = ['storage', 'compression', 'encryption', 'source', 'notifier'] as const
const parent = mkdtempSync(join(tmpdir(), 'bkp-created-'))

/** Runs npm; its output is in the error when it fails. */
async function npm(folder: string, ...argv: string[]): Promise<string> {
  const env: NodeJS.ProcessEnv = { ...process.env, NO_COLOR: '1' }
  // Vitest would take itself for a part of the test that runs here.
  for (const name of Object.keys(env)) if (/^(VITEST|NODE_ENV$|npm_)/.test(name)) delete env[name]
  try {
    return (await run('npm', argv, { cwd: folder, env, maxBuffer: 64 * 1024 * 1024 })).stdout
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string }
    throw new Error(`npm ${argv.join(' ')} failed in ${folder}:\n${stdout.slice(-4000)}\n${stderr.slice(-2000)}`)
  }
}

describe('a plugin that bkp plugins create wrote', () => {
  // One node_modules above all of them: each finds what it imports there, as in a package of its own.
  beforeAll(async () => {
    for (const kind of kinds) {
      const { code, stderr } = await bkp([
        'plugins:create',
        kind,
        '--id',
        `my-${kind}`,
        '--directory',
        join(parent, kind),
        '--yes',
      ])
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    }
    const { dependencies, devDependencies } = JSON.parse(readFileSync(join(parent, 'storage/package.json'), 'utf8'))
    const all: Record<string, string> = { ...dependencies, ...devDependencies }
    for (const [name, range] of Object.entries(all)) all[name] = range.replace('file:', 'file:storage/')
    writeFileSync(join(parent, 'package.json'), JSON.stringify({ private: true, dependencies: all }))
    await npm(parent, 'install', '--ignore-scripts', '--no-audit', '--no-fund')
  })
  afterAll(() => rmSync(parent, { recursive: true, force: true }))

  it.each(kinds)('for the port %s compiles and passes its tests as it is', async (kind) => {
    const deleted = join(parent, kind, 'dist/deleted.js')
    mkdirSync(dirname(deleted), { recursive: true })
    writeFileSync(deleted, '')
    const output = await npm(join(parent, kind), 'test')
    expect(output).toMatch(/Tests\s+\d+ passed/)
    // What has no source any more would be published.
    expect(existsSync(deleted)).toBe(false)
  })

  it.each(kinds)(
    'for the port %s has nothing that lint would find, but for the tarballs of this machine',
    async (kind) => {
      const { code, stdout } = await bkp(['plugins:lint', join(parent, kind), '--json'])
      const { findings } = JSON.parse(stdout) as { findings: readonly { path: string; rule: string }[] }
      expect(findings.map(({ rule, path }) => `${rule} ${path}`)).toEqual([
        'api-range package.json#/dependencies/@bkp~1plugin-api',
      ])
      expect(code).toBe(0)
    },
  )

  it('works in bkp: storage, codec and cipher in one backup, and the source in another', async () => {
    const bundledPluginDirectories = ['@bkp/source-fs'].map((name) =>
      dirname(fileURLToPath(import.meta.resolve(`${name}/package.json`))),
    )
    const pluginDirectories = kinds.map((kind) => join(parent, kind))
    const engine = await createEngine({ pluginDirectories, bundledPluginDirectories, workers: 1 })
    const places = [{ name: 'mine', url: `my-storage://${join(parent, 'repository')}` }]
    const file = join(parent, 'texts.json')
    writeFileSync(file, JSON.stringify({ letter: 'Dear Ann, '.repeat(20_000) }))
    const unlock = { kind: 'passphrase', passphrase: new Secret('a passphrase') } as const
    try {
      await engine.createRepository(places, unlock.passphrase)
      const repository = await engine.openRepository(places, unlock)
      try {
        for (const what of [
          { source: { id: 'fs', configuration: {} }, paths: [Buffer.from(file)] },
          { source: { id: 'my-source', configuration: { file } }, paths: [Buffer.from('/')] },
        ]) {
          const { stats, issues } = await repository.backup({
            ...what,
            ...plainBackup,
            compression: { id: 'my-compression', configuration: { level: 5 } },
            cipher: 'my-encryption',
          })
          expect(issues).toEqual([])
          expect(stats.files).toBe(1)
          expect(stats.bytes).toBeGreaterThan(150_000)
          expect(stats.storedBytes).toBeLessThan(50_000)
        }
        const checked = await repository.check({ readDataShare: 1, heal: false })
        expect(checked.map(({ damages }) => damages)).toEqual([[]])
      } finally {
        await repository.close()
      }
    } finally {
      await engine.close()
    }
  })

  it('works in bkp: the notifier, linked, with a token from the environment that nobody else sees', async () => {
    const got: string[] = []
    const service = createServer(async (request, response) => {
      let body = ''
      for await (const piece of request.setEncoding('utf8')) body += piece
      got.push(`${request.headers.authorization} ${body}`)
      response.writeHead(got.length === 1 ? 200 : 403).end(body)
    }).listen(0, '127.0.0.1')
    await once(service, 'listening')
    const url = `http://127.0.0.1:${(service.address() as AddressInfo).port}`
    const config = join(parent, 'config.yaml')
    const notifier = `use: my-notifier\n    options: {url: "${url}", token: "env:CHAT_TOKEN"}`
    writeFileSync(config, `version: 1\nnotifiers:\n  chat:\n    ${notifier}\n`)
    const env = { BKP_DATA_DIR: join(parent, 'data'), CHAT_TOKEN: 'hush-hush-hush' }
    const tell = () => bkp(['notifiers:test', '--config', config, '--json'], { env })
    try {
      const name = 'bkp-notifier-my-notifier'
      const link = ['plugins:link', join(parent, 'notifier'), '--yes', '--name', name]
      expect(await bkp(link, { env })).toMatchObject({ code: 0 })
      const [told, refused] = [await tell(), await tell()]
      expect(told).toMatchObject({ code: 0, stdout: expect.stringContaining('"state":"told"') })
      expect(got[0]).toMatch(/^Bearer hush-hush-hush \{"text":".*This is a test of the notifier chat/)
      expect(refused).toMatchObject({ code: 1, stdout: expect.stringContaining('answers with 403') })
      expect(JSON.stringify([told, refused])).not.toContain('hush')
    } finally {
      service.close()
    }
  })

  it('puts what it measures into the README', async () => {
    await npm(join(parent, 'source'), 'run', 'report')
    expect(readFileSync(join(parent, 'source/README.md'), 'utf8')).toMatch(/\| files of \d+ bytes \| [\d.]+ MB\/s \|/)
  })
})
