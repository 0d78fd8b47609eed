import { randomUUID } from 'node:crypto'
import { lstat, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { homeOf, placesIn } from '@bkp/core/plugins'
import { CliError } from '../errors/cli-error.js'
import type { FetchedPackage } from './fetch-package.js'
import type { Npm } from './npm.js'
import { isNative, isPackageFile, type PackageScripts, packageScriptsOf } from './plugin-facts.js'

// What a run that was killed left behind is removed by a later one.
const oldMs = 86_400_000

/** Whatever somebody's own configuration says: no script runs, nothing is linked to elsewhere. */
const npmrc = ['ignore-scripts=true', 'install-links=true', 'bin-links=false', 'audit=false', 'fund=false']

/** A new folder beside the installed plugins: what fails or is declined there leaves nothing. */
export async function beginStaging(dataDirectory: string, now: number): Promise<string> {
  const { plugins } = placesIn(dataDirectory)
  await mkdir(plugins, { recursive: true, mode: 0o700 })
  // Also for whoever runs npm by hand in here.
  await writeFile(join(dataDirectory, '.npmrc'), `${npmrc.join('\n')}\n`)
  for (const name of await readdir(plugins)) {
    const path = join(plugins, name)
    if (name.startsWith('.') && now - (await lstat(path)).mtimeMs > oldMs)
      await rm(path, { recursive: true, force: true })
  }
  const folder = join(plugins, `.${randomUUID()}`)
  await mkdir(folder, { mode: 0o700 })
  return folder
}

/**
 * Unpacks a package with all it depends on, without running anything of it.
 * @param pluginApi folder of bkp's own plugin-api: plugins get a copy of that, be it in the registry or not
 */
export async function unpack(
  folder: string,
  fetched: FetchedPackage,
  pluginApi: string,
  npm: Npm,
  fromRegistry: boolean,
): Promise<void> {
  const { name, version } = fetched.packageJson as { readonly name: string; readonly version: string }
  const root = {
    name: 'bkp-plugin',
    private: true,
    dependencies: { '@bkp/plugin-api': `file:${pluginApi}` },
    overrides: { '@bkp/plugin-api': '$@bkp/plugin-api' },
    oclif: { schema: 1, plugins: [] },
  }
  await writeFile(join(folder, 'package.json'), `${JSON.stringify(root, undefined, 2)}\n`)
  await writeFile(join(folder, '.npmrc'), `${npmrc.join('\n')}\n`)
  await npm.install(fromRegistry ? `${name}@${version}` : fetched.path)
  await npm.enter(name, fromRegistry ? { tag: version } : { url: `file:${fetched.path}` })
  await refuseOther(folder, fetched, name)
}

/** What was unpacked must be what was read. */
async function refuseOther(folder: string, { packageJson, integrity }: FetchedPackage, name: string): Promise<void> {
  const lock = await readJson(join(folder, 'package-lock.json'))
  const packages = (lock.packages ?? {}) as Readonly<Record<string, { readonly integrity?: string }>>
  const locked = packages[`node_modules/${name}`]?.integrity
  const unpacked = await readJson(join(folder, 'node_modules', name, 'package.json'))
  const isSame = JSON.stringify(unpacked) === JSON.stringify(packageJson)
  if (isSame && (locked === undefined || locked.split(' ').includes(integrity))) return
  throw new CliError('failure', `What npm unpacked as ${name} is not the package that was read before`, 'Do not use it')
}

export interface UnpackedFacts {
  readonly dependencies: readonly string[]
  readonly scripts: readonly PackageScripts[]
  readonly nativeFiles: readonly string[]
}

/** What lies in the folder of a plugin: packages, install scripts of each, files of native code. */
export async function factsOfFolder(folder: string, own: string): Promise<UnpackedFacts> {
  const dependencies: string[] = []
  const scripts: PackageScripts[] = []
  const nativeFiles: string[] = []
  const visit = async (path: string) => {
    for (const entry of await readdir(join(folder, path), { withFileTypes: true })) {
      const inside = path === '' ? entry.name : `${path}/${entry.name}`
      if (entry.isDirectory()) await visit(inside)
      else if (isNative(inside)) nativeFiles.push(inside)
      else if (entry.name === 'package.json' && isPackageFile(inside)) {
        const json = await readJson(join(folder, inside))
        scripts.push(...packageScriptsOf(json, (await readdir(join(folder, path))).includes('binding.gyp')))
        const isOurs = json.name === own || json.name === '@bkp/plugin-api'
        if (!isOurs) dependencies.push(`${String(json.name)}@${String(json.version)}`)
      }
    }
  }
  await visit('')
  for (const list of [dependencies, nativeFiles]) list.sort()
  return { dependencies: [...new Set(dependencies)], scripts, nativeFiles }
}

/** Runs the install scripts of all packages. @returns files of native code that they built */
export async function runScripts(
  npm: Npm,
  folder: string,
  { name, nativeFiles }: { readonly name: string; readonly nativeFiles: readonly string[] },
): Promise<readonly string[]> {
  await npm.runScripts()
  const after = await factsOfFolder(folder, name)
  return after.nativeFiles.filter((path) => !nativeFiles.includes(path))
}

/** Puts the staged folder in the place of what was there. @returns what removes the old one */
export async function putInPlace(folder: string, dataDirectory: string, name: string): Promise<() => Promise<void>> {
  const home = homeOf(dataDirectory, name)
  const old = join(dirname(home), `.${randomUUID()}`)
  const hadOld = await rename(home, old).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false
      throw error
    },
  )
  await rename(folder, home)
  return async () => {
    if (hadOld) await rm(old, { recursive: true, force: true })
  }
}

export async function readJson(path: string): Promise<Readonly<Record<string, unknown>>> {
  return JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>
}
