import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runCommand } from '../../testing/run-command.js'
import { violations } from '../../testing/schemas.js'

let folder: string
const long = `dist/${'a-long-name/'.repeat(9)}x.js`

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bkp-lint-'))
  const json = {
    name: 'bkp-notifier-mine',
    version: '1.0.0',
    type: 'module',
    exports: './dist/index.js',
    files: ['dist'],
    scripts: { prepack: 'exit 1' },
    bkp: { api: '^1.1.0', displayName: 'Mine', contributes: { notifier: [{ id: 'mine' }] } },
  }
  writeFileSync(join(folder, 'package.json'), JSON.stringify(json))
  mkdirSync(join(folder, long, '..'), { recursive: true })
  writeFileSync(join(folder, 'dist/index.js'), "throw new Error('nobody runs me')\nexport default {}\n")
  writeFileSync(join(folder, long), "get('https://far.away.net/')\n")
})
afterEach(() => rmSync(folder, { recursive: true }))

const lint = (...argv: string[]) => runCommand(['plugins:lint', ...argv])

describe('plugins lint', () => {
  it('prints findings with a way to mend them, and ends with 0 when all are warnings', async () => {
    const { exitCode, stdout } = await lint(folder)
    expect(stdout).toContain('Warning [files] README: is missing\n  Say what it does')
    expect(stdout).toContain('bkp-notifier-mine@1.0.0: 0 errors, ')
    expect(exitCode).toBe(0)
  })

  it('ends with 1 when there are errors', async () => {
    rmSync(join(folder, 'dist/index.js'))
    const { exitCode, json } = await lint(folder, '--json')
    expect(exitCode).toBe(1)
    expect(json()[0]).toMatchObject({ package: 'bkp-notifier-mine@1.0.0' })
    expect(violations('plugins-lint.json', json()[0])).toEqual([])
  })

  it('finds the same in the tarball, whose names may be long', async () => {
    const options = { cwd: folder, stdio: 'pipe' } as const
    execFileSync('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], options)
    const ofFolder = (await lint(folder, '--json')).json()
    const ofTarball = (await lint(join(folder, 'bkp-notifier-mine-1.0.0.tgz'), '--json')).json()
    expect(ofTarball).toEqual(ofFolder)
    expect(JSON.stringify(ofTarball)).toContain(long)
  })

  it('looks at what users get with the dependencies, and not at what is there to build it', async () => {
    const packageJson = join(folder, 'package.json')
    const json = JSON.parse(readFileSync(packageJson, 'utf8')) as object
    const dependencies = { dependencies: { wrapper: '1.0.0' }, devDependencies: { tool: '1.0.0' } }
    const bundled = { bundleDependencies: ['wrapper'] }
    writeFileSync(packageJson, JSON.stringify({ ...json, ...dependencies, ...bundled }))
    const put = (name: string, more: object, file: string) => {
      mkdirSync(join(folder, 'node_modules', name), { recursive: true })
      writeFileSync(
        join(folder, 'node_modules', name, 'package.json'),
        JSON.stringify({ name, version: '1.0.0', ...more }),
      )
      writeFileSync(join(folder, 'node_modules', name, file), '')
    }
    put('wrapper', { dependencies: { addon: '1.0.0' } }, 'index.js')
    put('addon', {}, 'binding.gyp')
    put('tool', { scripts: { postinstall: 'x' } }, 'tool.node')
    execFileSync('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], { cwd: folder, stdio: 'pipe' })
    for (const looked of [folder, join(folder, 'bkp-notifier-mine-1.0.0.tgz')]) {
      const { stdout } = await lint(looked)
      expect(stdout).toContain(
        'install scripts of addon (node-gyp rebuild) do not run unless users say --allow-scripts',
      )
      expect(stdout).toContain('a dependency is native code (node_modules/addon/binding.gyp), and users')
      expect(stdout).not.toContain('tool')
    }
  })

  it('has nothing against the plugins that come with bkp', async () => {
    const plugins = fileURLToPath(new URL('../../../../../plugins/', import.meta.url))
    for (const name of ['storage-local', 'codec-zstd', 'cipher-aes-gcm', 'source-fs']) {
      const [document] = (await lint(join(plugins, name), '--json')).json()
      const findings = document?.findings as { level: string }[]
      expect([name, findings.filter(({ level }) => level === 'error')]).toEqual([name, []])
    }
  })

  it.each([
    ['nothing', 'There is no'],
    ['text', 'This is no tarball'],
    ['empty', 'holds no package.json'],
  ])('refuses what is no plugin: %s', async (name, reason) => {
    writeFileSync(join(folder, 'text'), 'text')
    mkdirSync(join(folder, 'empty'))
    const { exitCode, stderr } = await lint(join(folder, name))
    expect(exitCode).toBe(2)
    expect(stderr).toContain(reason)
  })
})
