import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createEngine } from '@bkp/core'
import { Secret } from '@bkp/plugin-api'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { plainBackup } from '../../support/plain-backup.js'

// plugin-api as it was in the oldest version that is supported, packed; see docs/plugins/api-policy.md.
const fixtures = fileURLToPath(new URL('../../fixtures', import.meta.url))
const root = fileURLToPath(new URL('../../..', import.meta.url))
const work = mkdtempSync(join(tmpdir(), 'bkp-oldest-api-'))
const plugin = join(work, 'plugin')
const unlock = { kind: 'passphrase', passphrase: new Secret('a passphrase') } as const
const content = `${'a'.repeat(300_000)} and more\n`

function compile() {
  const compiler = join(root, 'node_modules/typescript/bin/tsc')
  const { status, stdout } = spawnSync(process.execPath, [compiler, '-p', plugin], { encoding: 'utf8' })
  return { status, stdout }
}

const builtIn = (name: string) => dirname(fileURLToPath(import.meta.resolve(`${name}/package.json`)))

describe('a plugin for the oldest plugin API', () => {
  beforeAll(() => {
    cpSync(join(fixtures, 'oldest-api-plugin'), plugin, { recursive: true })
    const api = join(plugin, 'node_modules/@bkp/plugin-api')
    mkdirSync(api, { recursive: true })
    execFileSync('tar', ['xzf', join(fixtures, 'plugin-api-1.0.0.tgz'), '-C', api, '--strip-components=1'])
    const compilerOptions = {
      target: 'ES2022',
      lib: ['ES2023'],
      module: 'NodeNext',
      moduleResolution: 'NodeNext',
      strict: true,
      types: ['node'],
      typeRoots: [join(root, 'node_modules/@types')],
      rootDir: '.',
      outDir: 'dist',
    }
    writeFileSync(join(plugin, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }))
  })
  afterAll(() => rmSync(work, { recursive: true, force: true }))

  it('compiles against it', () => {
    const { version } = JSON.parse(readFileSync(join(plugin, 'node_modules/@bkp/plugin-api/package.json'), 'utf8'))
    expect(version).toBe('1.0.0')
    expect(compile()).toEqual({ status: 0, stdout: '' })
  })

  it('stores, compresses and reads back under this bkp, with its own copy of the API', async () => {
    const source = join(work, 'source')
    mkdirSync(source)
    writeFileSync(join(source, 'file'), content)
    const warnings: string[] = []
    const log = { debug: () => undefined, info: () => undefined, warn: (text: string) => void warnings.push(text) }
    const bundledPluginDirectories = ['@bkp/source-fs', '@bkp/cipher-aes-gcm'].map(builtIn)
    const engine = await createEngine({ pluginDirectories: [plugin], bundledPluginDirectories, workers: 1 }, log)
    const places = [{ name: 'old', url: `oldest://${join(work, 'repository')}` }]
    try {
      await engine.createRepository(places, unlock.passphrase)
      const repository = await engine.openRepository(places, unlock)
      try {
        const { stats } = await repository.backup({
          paths: [Buffer.from(source)],
          ...plainBackup,
          source: { id: 'fs', configuration: {} },
          compression: { id: 'oldest-runs', configuration: {} },
          cipher: 'aes-256-gcm',
        })
        expect(stats.storedBytes).toBeLessThan(50_000)
        // Reads every byte back, through the codec too.
        const checked = await repository.check({ readDataShare: 1, heal: false })
        expect(checked.map(({ damages }) => damages)).toEqual([[]])
      } finally {
        await repository.close()
      }
      // Its errors are known as such, though they are of another class: a missing repository, not a fault of the plugin.
      const nothing = [{ name: 'none', url: `oldest://${join(work, 'nothing')}` }]
      await expect(engine.openRepository(nothing, unlock)).rejects.toMatchObject({ code: 'no-repository' })
    } finally {
      await engine.close()
    }
    expect(warnings).toEqual([])
    expect(readdirSync(join(work, 'repository'))).toContain('snapshots')
  })
})
