import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { packDescribed, quiet, run } from '../../support/examples.js'
import { expectSameTree } from '../../support/same-tree.js'
import { type StandInRegistry, startRegistry } from '../plugins/support/stand-in-registry.js'

// The registry of what others publish may be slow.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 120_000 })

interface Package {
  readonly name: string
  readonly version: string
  readonly folder: string
  readonly exports?: object
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly bkp?: { readonly contributes: Readonly<Record<string, readonly { readonly module?: string }[]>> }
}

const root = fileURLToPath(new URL('../../../', import.meta.url))
const packages: readonly Package[] = ['packages', 'plugins'].flatMap((parent) =>
  readdirSync(join(root, parent)).map((name) => {
    const folder = join(root, parent, name)
    return { folder, ...JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) } as Package
  }),
)
let work: string
let registry: StandInRegistry
let files: ReadonlyMap<string, readonly string[]>
let commandLine: string

const install = (folder: string, ...what: string[]) =>
  run('npm', ['install', ...quiet, `--@bkp:registry=${registry.url}`, ...what], folder)

async function publish({ folder, ...manifest }: Package): Promise<readonly string[]> {
  const packed = await packDescribed(folder, work)
  const path = join(work, packed.filename)
  registry.publish(manifest.name, manifest.version, { path, integrity: packed.integrity, manifest }, '2026-01-01')
  if (manifest.name === 'bkp') commandLine = path
  return packed.files.map((file) => file.path)
}

beforeAll(async () => {
  work = mkdtempSync(join(tmpdir(), 'bkp-packed-'))
  registry = await startRegistry()
  files = new Map(await Promise.all(packages.map(async (one) => [one.name, await publish(one)] as const)))
})
afterAll(async () => {
  await registry?.close()
  rmSync(work, { recursive: true })
})

describe('a published package', () => {
  it('has what it needs and no more', () => {
    for (const { name } of packages) {
      const packed = files.get(name) ?? []
      expect(packed, name).toEqual(expect.arrayContaining(['package.json', 'README.md']))
      const leftovers = packed.filter((path) => /\.test\.|\.tsbuildinfo$|\.map$|^src\//.test(path))
      expect(
        leftovers.filter((path) => !path.startsWith('templates/')),
        name,
      ).toEqual([])
    }
  })

  it('comes with the licences of all packages whose code it holds', () => {
    const missing: string[] = []
    for (const { name, folder } of packages) {
      const packed = files.get(name) ?? []
      const code = packed.filter((path) => path.endsWith('.js')).map((path) => readFileSync(join(folder, path), 'utf8'))
      // The bundler says of each file where it comes from.
      const inside = code.flatMap((text) => text.match(/^\/\/ .*node_modules\/(?:@[^/\n]+\/)?[^/\n]+\//gm) ?? [])
      const owners = new Set(inside.map((line) => line.slice(line.lastIndexOf('node_modules/') + 13, -1)))
      const path = 'dist/THIRD-PARTY-LICENSES.txt'
      expect(packed.includes(path), name).toBe(owners.size > 0)
      const told = owners.size > 0 ? readFileSync(join(folder, path), 'utf8') : ''
      missing.push(...[...owners].filter((owner) => !told.includes(`${owner} `)).map((owner) => `${name}: ${owner}`))
    }
    expect(missing).toEqual([])
  })

  // Most of the time the registry is waited for. The command line is installed below, as people do.
  it.concurrent.each(packages.filter(({ name }) => name !== 'bkp').map((one) => [one.name, one] as const))(
    '%s works by itself in a folder of its own',
    async (name, { version, exports = {}, peerDependencies = {}, bkp }) => {
      const folder = join(work, name.replace('/', '-'))
      mkdirSync(folder)
      writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }')
      await install(folder, `${name}@${version}`)
      const peers = Object.keys(peerDependencies)
      const modules = Object.values(bkp?.contributes ?? {}).flatMap((kinds) =>
        kinds.flatMap(({ module }) => module ?? []),
      )
      const home = join(folder, 'node_modules', name)
      const entries = Object.keys(exports).filter((path) => !path.endsWith('.json'))
      const specifiers = [...entries.map((path) => join(name, path)), ...modules.map((path) => join(home, path))]
      expect(specifiers.length).toBeGreaterThan(0)
      // Peers are there, though nobody asked for them.
      for (const peer of peers) expect(readdirSync(join(folder, 'node_modules'))).toContain(peer)
      const load = `for (const one of ${JSON.stringify(specifiers)}) console.log(one, Object.keys(await import(one)).length)`
      writeFileSync(join(folder, 'load.mjs'), load)
      const loaded = (await run(process.execPath, ['load.mjs'], folder)).trim().split('\n')
      expect(loaded.filter((line) => / [1-9]\d*$/.test(line))).toHaveLength(specifiers.length)
    },
  )
})

it('npm install --global gives a bkp that backs up and restores', async () => {
  const prefix = join(work, 'global')
  await install(work, '--global', '--prefix', prefix, commandLine)
  const source = join(work, 'source')
  cpSync(join(root, 'docs'), source, { recursive: true })
  const bkp = (...args: string[]) =>
    run(
      'env',
      ['-i', `PATH=${join(prefix, 'bin')}:${process.env.PATH}`, `HOME=${work}`, 'BKP_PASSWORD=x', 'bkp', ...args],
      work,
    )
  expect(await bkp('--version')).toMatch(new RegExp(`^bkp/\\S+ \\S+ node-${process.version}\\n$`))
  await bkp('init', '--to', './repository')
  await bkp('backup', source, '--to', './repository')
  await bkp('restore', 'latest', '--from', './repository', '--target', './restored')
  expectSameTree(source, join(work, 'restored', source))
  await bkp('check', '--from', './repository', '--read-data')
  const { findings } = JSON.parse(await bkp('doctor', '--json')) as { findings: { subject: string; level: string }[] }
  expect(findings.filter(({ level }) => level === 'error')).toEqual([])
  for (const compression of ['deflate', 'none'])
    await bkp('backup', source, '--to', './repository', '--compression', compression, '--force')
})
