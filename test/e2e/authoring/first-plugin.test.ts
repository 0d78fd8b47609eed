import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const page = readFileSync(new URL('../../../docs/plugins/first-plugin.md', import.meta.url), 'utf8')
const executable = fileURLToPath(new URL('../../../packages/cli/bin/run.js', import.meta.url))
const work = mkdtempSync(join(tmpdir(), 'bkp-first-plugin-'))
const disk = join(work, 'disk')

/** Blocks that the reader is told to type, in their order. A script cannot be asked: it says --yes. */
const blocks = [...page.matchAll(/^```sh\n(.*?)^```/gms)].map(([, text = '']) =>
  text
    .replaceAll('/tmp/mynas-disk', disk)
    .replace('bkp plugins:link .', 'bkp plugins:link . --yes --name bkp-storage-mynas'),
)

/** A machine of somebody else: no configuration, no cache, no plugins, and bkp on the PATH. */
function type(folder: string, commands: string) {
  const env: NodeJS.ProcessEnv = {}
  for (const [name, value] of Object.entries(process.env))
    if (!/^(VITEST|NODE_ENV$|npm_|BKP_|XDG_)/.test(name)) env[name] = value
  Object.assign(env, { HOME: join(work, 'home'), BKP_PASSWORD: 'a passphrase', NO_COLOR: '1' })
  env.PATH = `${join(work, 'bin')}:${env.PATH}`
  // The packages of npm itself are shared with the machine.
  env.npm_config_cache = join(process.env.HOME ?? '/root', '.npm')
  const { status, stdout, stderr } = spawnSync('bash', ['-euo', 'pipefail', '-c', commands], {
    cwd: folder,
    env,
    encoding: 'utf8',
  })
  return { status, said: `${stdout}\n${stderr}`.slice(-4000) }
}

function expectDone(folder: string, commands: string | undefined): string {
  const { status, said } = type(folder, commands ?? '')
  expect(status, said).toBe(0)
  return said
}

describe('docs/plugins/first-plugin.md, typed as it stands', () => {
  beforeAll(() => {
    for (const folder of ['home', 'bin']) mkdirSync(join(work, folder))
    const bkp = join(work, 'bin', 'bkp')
    writeFileSync(bkp, `#!/bin/sh\nexec '${process.execPath}' '${executable}' "$@"\n`)
    chmodSync(bkp, 0o755)
  })
  afterAll(() => rmSync(work, { recursive: true, force: true }))

  it('has the commands that are run here', () => expect(blocks).toHaveLength(5))

  it('writes a plugin', () => {
    expectDone(work, blocks[0])
    for (const [, file = ''] of page.matchAll(/^\| `([^`]+)` \|/gm))
      expect([file, existsSync(join(work, 'mynas', file))]).toEqual([file, true])
  })

  it('tests it', () => {
    expect(expectDone(work, blocks[1])).toMatch(/Tests\s+\d+ passed/)
  })

  it('links it', () => {
    expectDone(join(work, 'mynas'), blocks[2])
  })

  it('backs up to it and restores from it', () => {
    expectDone(join(work, 'mynas'), blocks[3])
    const restored = join(disk, 'restored', work, 'mynas/src/index.ts')
    expect(readFileSync(restored, 'utf8')).toBe(readFileSync(join(work, 'mynas/src/index.ts'), 'utf8'))
  })

  it('packs it', () => {
    expectDone(join(work, 'mynas'), blocks[4])
    expect(existsSync(join(work, 'mynas/bkp-storage-mynas-0.1.0.tgz'))).toBe(true)
  })
})
