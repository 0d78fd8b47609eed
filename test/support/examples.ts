import { execFile } from 'node:child_process'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type BackupResult, createEngine } from '@bkp/core'
import { Secret } from '@bkp/plugin-api'
import { plainBackup } from './plain-backup.js'

/** The plugins in `examples/`, which are no part of the workspace. */
export const examples = ['storage-rclone', 'codec-brotli', 'source-git'] as const
export type Example = (typeof examples)[number]

const root = fileURLToPath(new URL('../../', import.meta.url))
export const folderOfExample = (name: Example) => join(root, 'examples', name)

/** Runs a program to its end; what it printed is in the error when it fails. */
export async function run(program: string, args: readonly string[], cwd: string): Promise<string> {
  const { stdout } = await promisify(execFile)(program, args, { cwd, encoding: 'utf8', maxBuffer: 1 << 26 }).catch(
    (error: Error & { stdout?: string; stderr?: string }) => {
      throw new Error(`${error.message}\n${error.stdout ?? ''}\n${error.stderr ?? ''}`)
    },
  )
  return stdout
}

/** What npm need not do for tests. */
export const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', '--prefer-offline']
const install = (folder: string) => run('npm', ['install', ...quiet], folder)

/** What npm says of a package that it has packed. */
export interface PackedPackage {
  readonly filename: string
  readonly integrity: string
  readonly files: readonly { readonly path: string }[]
}

/** Packs a package as `npm publish` does. */
export async function packDescribed(folder: string, into: string): Promise<PackedPackage> {
  const [packed] = JSON.parse(
    await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', into], folder),
  ) as [PackedPackage]
  return packed
}

/** @returns the path of the tarball */
export async function pack(folder: string, into: string): Promise<string> {
  return join(into, (await packDescribed(folder, into)).filename)
}

/** A tarball of what strangers build against, as the registry would have it. */
export async function packInterfaces(into: string): Promise<Readonly<Record<string, string>>> {
  const packages = { '@bkp/plugin-api': 'plugin-api', '@bkp/testkit': 'testkit' }
  const packed = Object.entries(packages).map(
    async ([name, folder]) => [name, `file:${await pack(join(root, 'packages', folder), into)}`] as const,
  )
  return Object.fromEntries(await Promise.all(packed))
}

type Dependencies = Readonly<Record<string, string>>

/**
 * Copies the examples into `folder`, away from this repository, and installs what they ask for, once for all of them.
 * @param interfaces tarballs, in place of what the registry does not have
 */
export async function installExamples(folder: string, interfaces: Dependencies): Promise<void> {
  let wanted: Dependencies = {}
  for (const name of examples) {
    const isSource = (path: string) => !/\/(dist|node_modules)$/.test(path)
    cpSync(folderOfExample(name), join(folder, name), { recursive: true, filter: isSource })
    const { dependencies = {}, devDependencies = {} } = JSON.parse(
      readFileSync(join(folder, name, 'package.json'), 'utf8'),
    ) as { dependencies?: Dependencies; devDependencies?: Dependencies }
    wanted = { ...wanted, ...dependencies, ...devDependencies }
  }
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ private: true, dependencies: { ...wanted, ...interfaces } }),
  )
  await install(folder)
}

/**
 * Installs packed plugins without what they are developed with.
 * @returns their folders, in the order of `names`
 */
export async function installPacked(
  folder: string,
  tarballs: Readonly<Record<string, string>>,
  pluginApi: string,
): Promise<readonly string[]> {
  const files = Object.entries(tarballs).map(([name, path]) => [name, `file:${path}`])
  const dependencies = { '@bkp/plugin-api': pluginApi, ...Object.fromEntries(files) }
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies }))
  await install(folder)
  return Object.keys(tarballs).map((name) => join(folder, 'node_modules', name))
}

const builtIn = ['storage-local', 'source-fs', 'codec-zstd', 'cipher-aes-gcm']
const bundledPluginDirectories = builtIn.map((name) =>
  dirname(fileURLToPath(import.meta.resolve(`@bkp/${name}/package.json`))),
)

/** An engine over plugins of strangers, beside ours. */
export const engineWith = (pluginDirectories: readonly string[]) =>
  createEngine({ pluginDirectories, bundledPluginDirectories, workers: 2 })

export interface Trip {
  readonly pluginDirectories: readonly string[]
  readonly url: string
  readonly options?: Readonly<Record<string, unknown>>
  /** Paths of a git repository, before and after something was pushed to it. */
  readonly repository: string
  readonly change: () => void
  /** A folder to restore into. */
  readonly target: string
}

/** Makes a repository at `url`, backs up a git repository twice by the codec of the examples, checks, and restores. */
export async function backUpAndRestore(trip: Trip): Promise<{ first: BackupResult; second: BackupResult }> {
  const engine = await engineWith(trip.pluginDirectories)
  const passphrase = new Secret('correct horse battery staple')
  const places = [{ name: trip.url, url: trip.url, ...(trip.options === undefined ? {} : { options: trip.options }) }]
  try {
    await engine.createRepository(places, passphrase)
    const repository = await engine.openRepository(places, { kind: 'passphrase', passphrase })
    try {
      const backup = () =>
        repository.backup({
          source: { id: 'git', configuration: { repository: trip.repository } },
          compression: { id: 'brotli', configuration: { level: 4 } },
          cipher: 'aes-256-gcm',
          paths: [Buffer.from('/')],
          ...plainBackup,
        })
      const first = await backup()
      trip.change()
      const second = await backup()
      const [checked] = await repository.check({ readDataShare: 1, heal: false })
      if (checked?.damages.length !== 0) throw new Error(`damages: ${JSON.stringify(checked?.damages)}`)
      await repository.restore({
        snapshotId: second.snapshotId ?? '',
        target: trip.target,
        include: [],
        exclude: [],
        overwrite: 'always',
        delete: false,
        dryRun: false,
        verify: true,
        fsync: false,
      })
      return { first, second }
    } finally {
      await repository.close()
    }
  } finally {
    await engine.close()
  }
}
