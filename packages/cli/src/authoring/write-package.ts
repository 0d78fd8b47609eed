import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { UsageError } from '../errors/cli-error.js'
import type { PluginKind } from './plugin-kind.js'

/** What is filled into a template. */
export interface NewPlugin {
  readonly kind: PluginKind
  readonly id: string
  readonly name: string
  readonly year: number
}

/**
 * Writes the files of a new plugin into a folder that is empty or not there.
 *
 * @param templates folder with `common` and one folder for each kind
 * @returns paths of the files, relative to the folder, sorted
 * @throws UsageError when there is something in the folder
 */
export async function writePackage(
  templates: string,
  plugin: NewPlugin,
  directory: string,
): Promise<readonly string[]> {
  await refuseUsed(directory)
  const written: string[] = []
  for (const template of ['common', plugin.kind]) {
    const from = join(templates, template)
    for (const file of await filesBelow(from)) {
      const target = targetOf(file)
      const text = filled(await readFile(join(from, file), 'utf8'), plugin)
      await mkdir(dirname(join(directory, target)), { recursive: true })
      await writeFile(join(directory, target), text)
      written.push(target)
    }
  }
  return written.sort()
}

async function refuseUsed(directory: string): Promise<void> {
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw new UsageError(`${directory} cannot be used: ${error.message}`, 'Choose another: --directory DIR')
  })
  if (names.length > 0)
    throw new UsageError(`There is something in ${directory} already`, 'Choose an empty folder: --directory DIR')
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true })
  const files = entries.filter((entry) => entry.isFile())
  return files.map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
}

/** npm takes a `.gitignore` inside of a package for its own, so templates write `_` for the dot. */
function targetOf(file: string): string {
  return file.replace(/^_/, '.')
}

function filled(text: string, { id, name, year }: NewPlugin): string {
  const values: Readonly<Record<string, string>> = { id, name, year: String(year), displayName: displayNameOf(id) }
  return text.replace(/\{\{(id|name|year|displayName)\}\}/g, (_, key: string) => values[key] ?? '')
}

/** `my-nas` as `My nas`. */
function displayNameOf(id: string): string {
  const words = id.replace(/[-.]+/g, ' ').trim()
  return words.charAt(0).toUpperCase() + words.slice(1)
}
