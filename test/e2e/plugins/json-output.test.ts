import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { violations } from '../../../packages/cli/src/testing/schemas.js'
import { reportOf } from '../../support/outcomes.js'
import { bkp } from '../../support/run-bkp.js'
import { type Packed, packDemo, writeDemo } from './support/demo-plugin.js'
import { type StandInRegistry, startRegistry } from './support/stand-in-registry.js'

const work = mkdtempSync(join(tmpdir(), 'bkp-plugins-json-'))
const at = (...names: string[]) => join(work, ...names)
let data: string
let demo: Packed
let next: Packed
let registry: StandInRegistry
let number = 0

interface Document {
  readonly plugin: { readonly name: string; readonly integrity: string; readonly state: string }
  readonly plugins: readonly { readonly state: string; readonly isUpdated: boolean; readonly isSound: boolean }[]
  readonly trace: { readonly contributions: readonly { readonly error?: string }[] } | null
  readonly findings: readonly { readonly level: string }[]
  readonly error: { readonly hint: string }
}

const run = (args: readonly string[]) =>
  bkp([...args, '--json'], {
    env: { BKP_DATA_DIR: data, npm_config_registry: registry.url, npm_config_cache: at('npm') },
  })

/** Runs a command of plugins to its end; what it prints has to fit its published schema. */
async function told(code: number, command: string, ...args: string[]): Promise<Document> {
  const document = reportOf<Document>(await run([`plugins:${command}`, ...args]), code)
  const isError = document.error !== undefined
  expect(violations(isError ? 'error.json' : `plugins-${command}.json`, document)).toEqual([])
  expect(isError).toBe(code === 2)
  return document
}

beforeAll(async () => {
  demo = packDemo(at('one'))
  next = packDemo(at('two'), { version: '1.1.0' })
  registry = await startRegistry()
  registry.publish('bkp-demo', '1.0.0', demo, '2026-01-02T03:04:05.000Z')
})

beforeEach(() => {
  data = at(`data-${number++}`)
})

afterAll(async () => {
  await registry.close()
  rmSync(work, { recursive: true, force: true })
})

describe('the JSON of commands for plugins fits its schemas', () => {
  it('through the life of one: installed, updated, tampered with, approved, uninstalled', async () => {
    expect((await told(0, 'list')).plugins).toEqual([])
    expect((await told(0, 'install', 'bkp-demo@1.0.0', '--yes')).plugin).toMatchObject({ name: 'bkp-demo' })
    expect((await told(0, 'list')).plugins).toMatchObject([{ state: 'approved' }])
    expect((await told(0, 'inspect', 'bkp-demo')).trace).toBeNull()
    const { trace } = await told(0, 'inspect', 'bkp-demo', '--trace')
    expect(trace?.contributions).toHaveLength(2)
    expect((await told(0, 'audit')).plugins).toMatchObject([{ isSound: true }])
    // A registry without signatures proves nothing, and disproves nothing.
    const audited = await told(0, 'audit', '--registry')
    expect(audited.plugins).toMatchObject([{ isSound: true, registry: expect.any(String) }])
    expect((await told(0, 'update')).plugins).toMatchObject([{ isUpdated: false }])
    registry.publish('bkp-demo', '1.1.0', next, '2026-02-03T04:05:06.000Z')
    const update = await told(0, 'update', 'bkp-demo@1.1.0', '--yes')
    expect(update.plugins).toMatchObject([{ isUpdated: true, version: '1.1.0' }])
    const codec = join(data, 'plugins/bkp-demo/node_modules/bkp-demo/codec.js')
    appendFileSync(codec, '\n// more\n')
    expect((await told(13, 'audit')).plugins).toMatchObject([{ isSound: false }])
    const reason = expect.stringContaining('codec.js was changed')
    expect((await told(0, 'list')).plugins).toMatchObject([{ state: 'refused', version: '1.1.0', message: reason }])
    expect((await told(13, 'inspect', 'bkp-demo')).plugin.state).toBe('refused')
    const asked = await told(2, 'approve', 'bkp-demo')
    const typed = /bkp plugins:approve (.+)$/m.exec(asked.error.hint)?.[1]?.split(' ') ?? []
    const { plugin } = await told(0, 'approve', ...typed)
    expect(typed).toContain(plugin.integrity)
    expect((await told(0, 'audit')).plugins).toMatchObject([{ isSound: true }])
    await told(0, 'uninstall', 'bkp-demo')
    expect(existsSync(codec)).toBe(false)
    expect((await told(0, 'audit')).plugins).toEqual([])
  })

  it('of one that is installed from a tarball, and of all that is refused', async () => {
    await told(2, 'install', demo.path)
    await told(2, 'install', demo.path, '--yes')
    const { plugin } = await told(0, 'install', demo.path, '--yes', '--integrity', demo.integrity)
    expect(plugin.name).toBe('bkp-demo')
    rmSync(join(data, 'plugins.lock.json'))
    expect((await told(0, 'list')).plugins).toMatchObject([{ state: 'refused' }])
    expect((await told(13, 'audit')).plugins).toMatchObject([{ isSound: false }])
    for (const command of ['inspect', 'uninstall', 'approve', 'update']) await told(2, command, 'bkp-none')
  })

  it('of one that is linked, and works or not', async () => {
    mkdirSync(at('linked'))
    writeDemo(at('linked'))
    expect((await told(0, 'link', at('linked'), '--yes', '--name', 'bkp-demo')).plugin.integrity).toBeNull()
    expect((await told(0, 'list')).plugins).toMatchObject([{ state: 'linked' }])
    expect((await told(0, 'audit')).plugins).toMatchObject([{ state: 'linked' }])
    expect((await told(0, 'update')).plugins).toEqual([])
    writeFileSync(at('linked/codec.js'), 'throw new Error("broken inside")\n')
    const { trace } = await told(1, 'inspect', 'bkp-demo', '--trace')
    expect(trace?.contributions.map(({ error }) => error ?? '').join()).toContain('broken inside')
    await told(0, 'uninstall', 'bkp-demo')
  })

  it('of one that is being written, sound or not', async () => {
    const written = ['compression', '--id', 'mine', '--directory', at('created'), '--yes']
    await told(0, 'create', ...written)
    await told(2, 'create', ...written)
    const packageJson = at('created/package.json')
    // It is not built: lint says so.
    const { findings } = await told(1, 'lint', at('created'))
    expect(findings.map(({ level }) => level)).toContain('error')
    const { bkp: manifest, ...rest } = JSON.parse(readFileSync(packageJson, 'utf8'))
    expect(manifest).toBeDefined()
    writeFileSync(packageJson, JSON.stringify(rest))
    expect((await told(1, 'lint', at('created'))).findings.map(({ level }) => level)).toContain('error')
    await told(2, 'lint', at('nowhere'))
  })
})
