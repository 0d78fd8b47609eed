import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { bkp } from '../../support/run-bkp.js'
import { bkpAtTerminal } from './support/at-terminal.js'
import { type Packed, packDemo, writeDemo } from './support/demo-plugin.js'
import { type StandInRegistry, startRegistry } from './support/stand-in-registry.js'

const work = mkdtempSync(join(tmpdir(), 'bkp-trust-'))
const at = (...names: string[]) => join(work, ...names)
const ran = at('ran')
let demo: Packed
let next: Packed
let registry: StandInRegistry
let data: string
let number = 0

const env = () => ({
  BKP_DATA_DIR: data,
  DEMO_RAN: ran,
  npm_config_registry: registry.url,
  npm_config_cache: at('npm'),
})
const run = (...args: string[]) => bkp(args, { env: env() })
const whatRan = () => (existsSync(ran) ? readFileSync(ran, 'utf8') : '')
const installed = (...names: string[]) => join(data, 'plugins/bkp-demo/node_modules', ...names)
const lock = () => join(data, 'plugins.lock.json')
const install = async ({ path, integrity } = demo) => {
  const done = await run('plugins:install', path, '--yes', '--integrity', integrity)
  expect(done).toMatchObject({ code: 0 })
}
/** A command that needs the plugin. */
const use = () => run('snapshots', '--from', `demo://disk${at('nowhere')}`)

beforeAll(async () => {
  demo = packDemo(at('one'))
  next = packDemo(at('two'), {
    version: '1.1.0',
    manifest: { hosts: ['demo.example', 'other.example'] },
    more: { oclif: { hooks: { init: './hook.js' }, commands: './hook.js' } },
  })
  registry = await startRegistry()
  registry.publish('bkp-demo', '1.0.0', demo, '2026-01-02T03:04:05.000Z')
})

beforeEach(() => {
  data = at(`data-${number++}`)
  rmSync(ran, { force: true })
})

afterAll(async () => {
  await registry.close()
  rmSync(work, { recursive: true, force: true })
})

describe('installing a plugin', () => {
  it('shows what it is, asks, and takes nothing but yes for yes', async () => {
    for (const answer of ['', 'n'] as const) {
      const { code, screen } = await bkpAtTerminal(['plugins:install', demo.path], answer, env())
      expect(screen).toContain('demo.example')
      expect(screen).toContain('postinstall')
      expect(code).toBe(1)
    }
    expect(existsSync(lock())).toBe(false)
    expect((await bkpAtTerminal(['plugins:install', demo.path], 'y', env())).code).toBe(0)
    expect(statSync(lock()).mode & 0o777).toBe(0o600)
    expect(whatRan()).toBe('')
  })

  it('fails without a terminal and says what to type, which then works', async () => {
    const { code, stderr } = await run('plugins:install', demo.path)
    expect(code).toBe(2)
    const typed = /bkp (plugins:install .*)$/m.exec(stderr)?.[1]?.split(' ') as string[]
    expect(await run(...typed)).toMatchObject({ code: 0 })
  })

  it('takes --yes only for an exact version, or a tarball by its hash', async () => {
    expect(await run('plugins:install', 'bkp-demo', '--yes')).toMatchObject({ code: 2 })
    expect(await run('plugins:install', 'bkp-demo@^1.0.0', '--yes')).toMatchObject({ code: 2 })
    expect(await run('plugins:install', demo.path, '--yes')).toMatchObject({ code: 2 })
    const wrong = `sha512-${'A'.repeat(86)}==`
    expect(await run('plugins:install', demo.path, '--yes', '--integrity', wrong)).toMatchObject({ code: 1 })
    expect(existsSync(lock())).toBe(false)
    const { code, stdout } = await run('plugins:install', 'bkp-demo@1.0.0', '--yes')
    expect(code).toBe(0)
    expect(stdout).toContain('publisher        ann')
    expect(stdout).toContain('published 2026-01-02')
  })

  it('works offline from a tarball, a folder and a git repository, with what is inside', async () => {
    const offline = { ...env(), npm_config_registry: 'http://127.0.0.1:9', npm_config_fetch_retries: '0' }
    const git = (...args: string[]) => execFileSync('git', args, { cwd: at('repository'), stdio: 'ignore' })
    mkdirSync(at('repository'))
    writeDemo(at('repository'))
    git('init')
    git('add', '.')
    git('-c', 'user.name=ann', '-c', 'user.email=ann@demo.example', 'commit', '-m', 'one')
    for (const source of [demo.path, at('one'), `git+file://${at('repository')}`]) {
      const answered = await bkpAtTerminal(['plugins:install', source], 'y', offline)
      expect(answered.screen).toContain('Installed bkp-demo')
    }
    const outside = packDemo(at('outside'), {
      name: 'bkp-outside',
      scheme: 'outside',
      compression: 'outside',
      manifest: {},
      more: { bundleDependencies: [] },
    })
    const args = ['plugins:install', outside.path, '--yes', '--integrity', outside.integrity]
    const { code, stderr } = await bkp(args, { env: offline })
    expect(code).toBe(1)
    expect(stderr).toContain('The registry cannot be reached')
    expect(stderr).toContain('bundleDependencies')
  })

  it('runs install scripts only where they are allowed', async () => {
    await install()
    expect(whatRan()).toBe('')
    expect(
      await run('plugins:install', demo.path, '--yes', '--integrity', demo.integrity, '--allow-scripts'),
    ).toMatchObject({ code: 0 })
    expect(whatRan()).toBe('script\n')
    expect((await run('plugins:audit')).code).toBe(0)
  })

  it('knows what allowed scripts built, and says when others are to run than before', async () => {
    const build = "node -e \"require('fs').writeFileSync('built.node', '')\""
    const builds = packDemo(at(`builds-${number}`), { more: { scripts: { postinstall: build } } })
    await install(builds)
    const scripts = ['plugins:install', builds.path, '--yes', '--integrity', builds.integrity, '--allow-scripts']
    const allowed = await run(...scripts)
    expect(allowed).toMatchObject({ code: 0 })
    expect(allowed.stdout).toContain('install scripts: do not run → WILL RUN')
    expect((await run('plugins:inspect', 'bkp-demo')).stdout).toMatch(/built\.node[\s\S]*ran when it was installed/)
    const { screen } = await bkpAtTerminal(['plugins:approve', 'bkp-demo'], 'n', env())
    expect(screen).toContain('ran when it was installed')
    expect(screen).toContain('Nothing of that differs')
    expect((await run(...scripts)).stdout).toContain('Nothing of that differs')
  })

  it.each([
    ['the name of a part of bkp', { name: '@bkp/storage-local' }, 'is the name of a part of bkp'],
    [
      'a scheme of a built-in',
      { name: 'bkp-thief', scheme: 'sftp' },
      'claims the storage "sftp", which @bkp/storage-sftp of bkp itself has',
    ],
    ['an id of a built-in', { name: 'bkp-thief', compression: 'zstd' }, 'which @bkp/codec-zstd of bkp itself has'],
    ['another plugin API', { name: 'bkp-old', manifest: { api: '^0.1.0' } }, 'written for plugin API ^0.1.0'],
    ['a manifest with faults', { name: 'bkp-odd', manifest: { displayName: '' } }, 'its manifest is not valid'],
    [
      'a module that is not there',
      { name: 'bkp-no', more: { exports: './dist/index.js' } },
      './dist/index.js is not in',
    ],
  ])('refuses %s', async (_, options, reason) => {
    const packed = packDemo(at(`refused-${number}`), options)
    const { code, stderr } = await run('plugins:install', packed.path, '--yes', '--integrity', packed.integrity)
    expect(code).toBe(1)
    expect(stderr).toContain(reason)
    expect(existsSync(lock())).toBe(false)
  })
})

describe('an approved plugin', () => {
  it('is a storage and a compression like ours: options, backup, restore; then it is missed by name', async () => {
    await install()
    const config = at(`config-${number}.yaml`)
    const settings = { env: { ...env(), BKP_CONFIG: config } }
    const add = (...args: string[]) =>
      bkp(['destinations', 'add', 'there', `demo://disk${at('store')}`, '--set', 'token=env:TOKEN', ...args], settings)
    expect((await add('--set', 'region=west')).stderr).toContain('region')
    expect(await add('--set', 'region=north')).toMatchObject({ code: 0 })
    mkdirSync(at('files'), { recursive: true })
    writeFileSync(at('files/a.txt'), 'something that shrinks '.repeat(5000))
    const all = { env: { ...settings.env, TOKEN: 'hush' } }
    expect(await bkp(['init', '--to', 'default'], all)).toMatchObject({ code: 0 })
    const backup = ['backup', at('files'), '--to', 'default', '--compression', 'demo-brotli']
    expect(await bkp(backup, all)).toMatchObject({ code: 0, stderr: expect.not.stringContaining('Error') })
    expect(whatRan()).toContain('codec')
    const restore = ['restore', 'latest', '--from', 'default', '--target', at('back')]
    expect(await bkp(restore, all)).toMatchObject({ code: 0 })
    expect(readFileSync(at('back', at('files/a.txt')))).toEqual(readFileSync(at('files/a.txt')))
    expect(await run('plugins:uninstall', 'bkp-demo')).toMatchObject({ code: 0 })
    expect((await bkp(restore, all)).stderr).toContain('demo')
  })

  it('runs no code before something of it is needed, and none for commands that do not need it', async () => {
    await install()
    const config = { env: env() }
    expect(await bkp(['init', '--to', at(`plain-${number}`)], config)).toMatchObject({ code: 0, stderr: '' })
    expect(await bkp(['snapshots', '--from', at(`plain-${number}`)], config)).toMatchObject({ code: 0, stderr: '' })
    for (const command of ['list', 'audit']) expect(await run(`plugins:${command}`)).toMatchObject({ code: 0 })
    expect(await run('plugins:inspect', 'bkp-demo')).toMatchObject({ code: 0 })
    expect(whatRan()).toBe('')
    const traced = await run('plugins:inspect', 'bkp-demo', '--trace')
    expect(traced).toMatchObject({ code: 0 })
    expect(whatRan()).toBe('storage\ncodec\n')
  })

  it('has oclif hooks and commands that never run, and the user is told', async () => {
    await install(next)
    expect((await run('plugins:inspect', 'bkp-demo')).stdout).toContain('hooks, commands in package.json: never loaded')
    await use()
    await run('--help')
    expect(whatRan()).not.toContain('hook')
  })

  it('is updated after its differences were shown', async () => {
    expect(await run('plugins:install', 'bkp-demo@1.0.0', '--yes')).toMatchObject({ code: 0 })
    expect((await run('plugins:update')).stdout).toContain('1.0.0 is the newest')
    registry.publish('bkp-demo', '1.1.0', next, new Date().toISOString())
    expect(await run('plugins:update')).toMatchObject({ code: 2 })
    const { code, screen } = await bkpAtTerminal(['plugins:update', 'bkp-demo'], 'y', env())
    expect(screen).toContain('version: 1.0.0 → 1.1.0')
    expect(screen).toContain('network: + other.example')
    expect(code).toBe(0)
    expect((await run('plugins:list')).stdout).toMatch(/bkp-demo +1\.1\.0 +approved/)
  })
})

describe('a plugin that is not what was approved', () => {
  const tampered = [
    ['a file', () => appendFileSync(installed('bkp-demo/index.js'), '\n// more\n')],
    ['a file of a dependency', () => appendFileSync(installed('bkp-demo/node_modules/demo-dependency/index.js'), '\n')],
    ['the worker module', () => appendFileSync(installed('bkp-demo/codec.js'), '\n// more\n')],
    ['a new file', () => writeFileSync(installed('bkp-demo/extra.js'), '')],
    [
      'a new package beside it',
      () => mkdirSync(installed('new')) === undefined && writeFileSync(installed('new/a.js'), ''),
    ],
    ['a missing file', () => rmSync(installed('bkp-demo/codec.js'))],
    ['a symbolic link', () => symlinkSync('/etc', installed('bkp-demo/etc'))],
    [
      'its package.json',
      () => {
        const path = installed('bkp-demo/package.json')
        writeFileSync(path, readFileSync(path, 'utf8').replace('"1.0.0"', '"1.0.1"'))
      },
    ],
    [
      'its folder, now a link',
      () => {
        const home = join(data, 'plugins/bkp-demo')
        renameSync(home, at(`moved-${number}`))
        symlinkSync(at(`moved-${number}`), home)
      },
    ],
    ['its approval', () => rmSync(lock())],
    ['the lock file, damaged', () => writeFileSync(lock(), '{"version":1,"plugins":[{}]}')],
    ['the lock file, writable by all', () => chmodSync(lock(), 0o666)],
    ['packages where Node would look next', () => mkdirSync(join(data, 'node_modules'))],
  ] as const

  it.each(tampered)('is refused: %s', async (_, tamper) => {
    await install()
    tamper()
    const { code, stderr } = await use()
    expect(code).toBe(1)
    expect(stderr).toMatch(/bkp-demo|plugins\.lock\.json|node_modules/)
    expect(stderr).not.toContain('fault of bkp')
    expect(whatRan()).toBe('')
    expect(await run('plugins:audit')).toMatchObject({ code: 13 })
    const plain = await run('init', '--to', at(`still-${number}`))
    expect(plain).toMatchObject({ code: 0 })
  })

  it('is used again once its changes were approved, and only those', async () => {
    await install()
    appendFileSync(installed('bkp-demo/index.js'), '\n// mine\n')
    expect(await run('plugins:approve', 'bkp-demo')).toMatchObject({ code: 2 })
    const { screen, code } = await bkpAtTerminal(['plugins:approve', 'bkp-demo'], 'y', env())
    expect(screen).toContain('changed  node_modules/bkp-demo/index.js')
    expect(code).toBe(0)
    await use()
    expect(whatRan()).toContain('storage')
    appendFileSync(installed('bkp-demo/index.js'), '\n// not mine\n')
    expect((await use()).stderr).toContain('not what you approved')
  })
})

describe('a linked plugin', () => {
  const folder = at('linked')

  it('is never linked without being named, and says that nobody verifies it', async () => {
    mkdirSync(folder, { recursive: true })
    writeDemo(folder, { more: { oclif: { hooks: { init: './hook.js' }, commands: './hook.js' } } })
    expect(await run('plugins:link', folder)).toMatchObject({ code: 2 })
    expect(await run('plugins:link', folder, '--yes')).toMatchObject({ code: 2 })
    expect(await run('plugins:link', folder, '--yes', '--name', 'other')).toMatchObject({ code: 2 })
    expect(existsSync(lock())).toBe(false)
    expect(await run('plugins:link', folder, '--yes', '--name', 'bkp-demo')).toMatchObject({ code: 0 })
    expect(whatRan()).toBe('')
    appendFileSync(join(folder, 'index.js'), '\n// changed\n')
    expect((await run('plugins:list')).stdout).toContain('linked, not verified')
    expect(await run('plugins:audit')).toMatchObject({ code: 0 })
    chmodSync(folder, 0o777)
    expect((await use()).stderr).toContain('may be written by other users')
    chmodSync(folder, 0o755)
    expect(await run('plugins:uninstall', 'bkp-demo')).toMatchObject({ code: 0 })
    expect(existsSync(join(folder, 'index.js'))).toBe(true)
  })
})
