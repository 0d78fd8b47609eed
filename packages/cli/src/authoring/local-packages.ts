import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { UsageError } from '../errors/cli-error.js'

const run = promisify(execFile)
const folderName = 'vendor'
const packages = [
  { name: '@bkp/plugin-api', tarball: /^bkp-plugin-api-\d.*\.tgz$/, folder: 'plugin-api' },
  { name: '@bkp/testkit', tarball: /^bkp-testkit-\d.*\.tgz$/, folder: 'testkit' },
] as const

/** Whether this bkp runs from a clone of its repository, whose packages are the ones to build against. */
export function isCheckout(cliRoot: string): boolean {
  return packages.every(({ folder }) => existsSync(join(cliRoot, '..', folder, 'src')))
}

/**
 * The tarballs of plugin-api and testkit in a folder, by the name of their package.
 * @throws UsageError when one is missing, or there are several of one
 */
export async function findTarballs(folder: string): Promise<ReadonlyMap<string, string>> {
  const names = await readdir(folder).catch(() => {
    throw new UsageError(`There is no folder ${folder}`, 'Name the folder where npm pack put plugin-api and testkit')
  })
  return new Map(
    packages.map(({ name, tarball }) => {
      const [found, second] = names.filter((candidate) => tarball.test(candidate))
      if (found !== undefined && second === undefined) return [name, join(folder, found)]
      throw new UsageError(
        `${folder} holds ${found === undefined ? 'no tarball' : 'several tarballs'} of ${name}`,
        `Make one: npm pack -w ${name} --pack-destination ${folder}`,
      )
    }),
  )
}

/**
 * Copies tarballs of plugin-api and testkit into the package and refers to them, so that it installs without the registry.
 * plugin-api goes into the package's own tarball, so that users of it need no registry either.
 *
 * @param tarballs paths by the name of their package
 * @returns paths of what was written, relative to the package
 */
export async function useTarballs(
  directory: string,
  tarballs: ReadonlyMap<string, string>,
): Promise<readonly string[]> {
  await mkdir(join(directory, folderName), { recursive: true })
  const references: Record<string, string> = {}
  for (const [name, tarball] of tarballs) {
    references[name] = `${folderName}/${basename(tarball)}`
    await copyFile(tarball, join(directory, references[name]))
  }
  await refer(directory, references)
  return Object.values(references)
}

/** As `useTarballs`, with what is in the clone of this bkp. */
export async function useCheckout(directory: string, cliRoot: string): Promise<readonly string[]> {
  const folder = join(directory, folderName)
  await mkdir(folder, { recursive: true })
  const references: Record<string, string> = {}
  for (const one of packages) {
    const { stdout } = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
      cwd: resolve(cliRoot, '..', one.folder),
    })
    const [packed] = JSON.parse(stdout) as readonly { readonly filename: string }[]
    references[one.name] = `${folderName}/${packed?.filename ?? ''}`
  }
  await refer(directory, references)
  return Object.values(references)
}

async function refer(directory: string, references: Readonly<Record<string, string>>): Promise<void> {
  const path = join(directory, 'package.json')
  const json = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>
  for (const group of ['dependencies', 'devDependencies'] as const) {
    const wanted = json[group] as Record<string, string>
    for (const name of Object.keys(wanted))
      if (references[name] !== undefined) wanted[name] = `file:${references[name]}`
  }
  json.bundleDependencies = ['@bkp/plugin-api']
  await writeFile(path, `${JSON.stringify(json, undefined, 2)}\n`)
}
