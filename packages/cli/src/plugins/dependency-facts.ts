import type { Dirent } from 'node:fs'
import { readdir, realpath } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { isNative, type PackageScripts, packageScriptsOf } from './plugin-facts.js'
import { readJson } from './staging.js'

/** What users of a package get beside its own code, as far as that lies there. */
export interface InstalledFacts {
  /** Paths relative to the folder; `node_modules/x/build/x.node`. */
  readonly nativeFiles: readonly string[]
  readonly scripts: readonly PackageScripts[]
}

/** Native code and install scripts of what a package in development depends on; without what it needs only to be built. */
export async function factsOfDependencies(folder: string): Promise<InstalledFacts> {
  const nativeFiles: string[] = []
  const scripts: PackageScripts[] = []
  const seen = new Set<string>([await realpath(folder)])
  const visit = async (from: string): Promise<void> => {
    for (const name of dependenciesOf(await readJson(join(from, 'package.json')))) {
      const found = await locate(name, from)
      const real = found === undefined ? undefined : await realpath(found)
      if (found === undefined || real === undefined || seen.has(real)) continue
      seen.add(real)
      const native = await nativeFilesBelow(found)
      nativeFiles.push(...native.map((file) => relative(folder, join(found, file)).replaceAll('\\', '/')))
      const json = await readJson(join(found, 'package.json'))
      scripts.push(...packageScriptsOf({ ...json, name }, native.includes('binding.gyp')))
      await visit(real)
    }
  }
  await visit(folder)
  return { nativeFiles: nativeFiles.sort(), scripts }
}

/** Native code of a package itself. */
export async function nativeFilesBelow(folder: string, prefix = ''): Promise<string[]> {
  const entries: Dirent[] = await readdir(join(folder, prefix), { withFileTypes: true }).catch(() => [])
  const lists = entries.map(async (entry): Promise<string[]> => {
    const path = `${prefix}${entry.name}`
    if (!entry.isDirectory()) return isNative(path) ? [path] : []
    return entry.name === 'node_modules' || entry.name.startsWith('.') ? [] : nativeFilesBelow(folder, `${path}/`)
  })
  return (await Promise.all(lists)).flat()
}

function dependenciesOf(json: Readonly<Record<string, unknown>>): readonly string[] {
  const keysOf = (group: unknown) => (typeof group === 'object' && group !== null ? Object.keys(group) : [])
  const isMaybe = keysOf(json.peerDependenciesMeta)
  const peers = keysOf(json.peerDependencies).filter((name) => !isMaybe.includes(name))
  const names = [...keysOf(json.dependencies), ...keysOf(json.optionalDependencies), ...peers]
  // bkp brings that.
  return [...new Set(names)].filter((name) => name !== '@bkp/plugin-api')
}

/** As Node looks for it; undefined where it is not installed, as packages for other machines are not. */
async function locate(name: string, from: string): Promise<string | undefined> {
  for (let folder = from; ; folder = dirname(folder)) {
    const path = join(folder, 'node_modules', name)
    const isThere = await readJson(join(path, 'package.json')).then(
      () => true,
      () => false,
    )
    if (isThere) return path
    if (folder === dirname(folder)) return undefined
  }
}
