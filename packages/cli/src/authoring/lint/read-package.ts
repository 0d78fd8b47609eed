import { execFile } from 'node:child_process'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { UsageError } from '../../errors/cli-error.js'
import { factsOfDependencies, type InstalledFacts } from '../../plugins/dependency-facts.js'
import { isNative, isPackageFile, packageScriptsOf } from '../../plugins/plugin-facts.js'
import type { PluginPackage } from './finding.js'
import { readTarball } from './tarball.js'

const run = promisify(execFile)

/**
 * A folder or a tarball as the package that it is or would become. Nothing in it is run.
 * @throws UsageError when there is no package
 */
export async function readPackage(path: string): Promise<PluginPackage> {
  const stats = await stat(path).catch(() => {
    throw new UsageError(`There is no ${path}`, 'Name the folder of a plugin, or a tarball of npm pack')
  })
  return stats.isDirectory() ? readFolder(path) : readPacked(path)
}

async function readFolder(folder: string): Promise<PluginPackage> {
  const json = parse(folder, await readFile(join(folder, 'package.json'), 'utf8').catch(() => undefined))
  const { stdout } = await run('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: folder,
    maxBuffer: 64 * 1024 * 1024,
  }).catch((error: Error & { stderr?: string }) => {
    throw new UsageError(
      `npm cannot pack ${folder}: ${error.stderr?.trim() || error.message}`,
      'Try it: npm pack --dry-run',
    )
  })
  const [packed] = JSON.parse(stdout) as readonly { readonly files: readonly { readonly path: string }[] }[]
  const files = (packed?.files ?? []).map((file) => file.path)
  return {
    json,
    files,
    installed: await factsOfDependencies(folder),
    read: (file) => readFile(join(folder, file), 'utf8'),
  }
}

async function readPacked(path: string): Promise<PluginPackage> {
  const contents = readTarball(await readFile(path))
  const json = parse(path, contents.get('package.json')?.toString())
  const files = [...contents.keys()]
  return { json, files, installed: bundledFacts(contents), read: async (file) => contents.get(file)?.toString() ?? '' }
}

/** Of packages that come inside of a tarball; what else users get is not known from it. */
function bundledFacts(contents: ReadonlyMap<string, Buffer>): InstalledFacts {
  const paths = [...contents.keys()]
  const scripts = paths
    .filter(isPackageFile)
    .flatMap((path) =>
      packageScriptsOf(
        parse(path, contents.get(path)?.toString()),
        contents.has(path.replace(/package\.json$/, 'binding.gyp')),
      ),
    )
  return { nativeFiles: paths.filter((path) => path.startsWith('node_modules/') && isNative(path)).sort(), scripts }
}

function parse(path: string, text: string | undefined): Readonly<Record<string, unknown>> {
  if (text === undefined)
    throw new UsageError(`${path} holds no package.json`, 'Name the folder of a plugin, or a tarball')
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch (error) {
    throw new UsageError(`The package.json of ${path} is not JSON: ${(error as Error).message}`, 'Correct it')
  }
}
