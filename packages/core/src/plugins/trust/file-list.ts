import { createHash } from 'node:crypto'
import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { BkpError } from '../../errors/index.js'

/** All files of a folder with their hashes, as `sha256sum` prints and checks them. */
export interface FileList {
  /** One line per file, `<hex SHA-256>  <path>`, sorted by path; paths with `/`, relative to the folder. */
  readonly text: string
  readonly count: number
  readonly bytes: number
}

/**
 * Reads every file of a folder, installed dependencies included. Nothing is left out.
 * Synchronous, so that the URL of a module cannot be had without it.
 *
 * @throws BkpError `plugin-refused` for symbolic links, devices and other things that a hash cannot vouch for, and for
 * names that cannot stand in a list; the system's error when something cannot be read
 */
export function listFiles(directory: string): FileList {
  const lines: { readonly path: string; readonly line: string }[] = []
  let bytes = 0
  const visit = (folder: string, prefix: string) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = `${prefix}${entry.name}`
      if (entry.isDirectory()) visit(join(folder, entry.name), `${path}/`)
      else {
        refuseStrange(directory, path, entry)
        const data = readFileSync(join(folder, entry.name))
        bytes += data.length
        lines.push({ path, line: `${createHash('sha256').update(data).digest('hex')}  ${path}\n` })
      }
    }
  }
  // Of a link to a folder the files could be others tomorrow, in a place that nobody looks at.
  if (!lstatSync(directory).isDirectory()) throw strange(directory, 'is not a folder')
  visit(directory, '')
  lines.sort((a, b) => (a.path < b.path ? -1 : 1))
  return { text: lines.map(({ line }) => line).join(''), count: lines.length, bytes }
}

/** What an approval vouches for: the SHA-256 of the list, as `sha256-<hex>`. */
export function integrityOf(list: FileList | string): string {
  const text = typeof list === 'string' ? list : list.text
  return `sha256-${createHash('sha256').update(text).digest('hex')}`
}

export interface FileChanges {
  readonly added: readonly string[]
  readonly removed: readonly string[]
  readonly changed: readonly string[]
}

/** Which files differ between two lists. */
export function changesBetween(before: string, after: string): FileChanges {
  const [old, now] = [parsed(before), parsed(after)]
  return {
    added: [...now.keys()].filter((path) => !old.has(path)),
    removed: [...old.keys()].filter((path) => !now.has(path)),
    changed: [...now].filter(([path, hash]) => old.has(path) && old.get(path) !== hash).map(([path]) => path),
  }
}

const hashLength = 64

function parsed(list: string): Map<string, string> {
  const lines = list.split('\n').filter((line) => line !== '')
  return new Map(lines.map((line) => [line.slice(hashLength + 2), line.slice(0, hashLength)]))
}

function refuseStrange(directory: string, path: string, entry: { isFile(): boolean; isSymbolicLink(): boolean }): void {
  if (entry.isSymbolicLink()) throw strange(join(directory, path), 'is a symbolic link')
  if (!entry.isFile()) throw strange(join(directory, path), 'is neither a file nor a folder')
  // A line break would let one file pretend to be two; what is not UTF-8 has no one name.
  if (/[\p{Cc}\ufffd]/u.test(path))
    throw strange(join(directory, path), 'has a name with control characters, or one that is not UTF-8')
}

function strange(path: string, what: string): BkpError {
  return new BkpError('plugin-refused', `${path} ${what}`, {
    hint: 'Uninstall the plugin, or install it again: bkp plugins:install',
  })
}
