import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { BkpError } from '../../errors/index.js'
import { replaceFile } from '../../files/replace-file.js'
import { requireOwn } from './own-files.js'

/** What the user approved, as the lock file keeps it. */
export interface Approval {
  readonly name: string
  readonly version: string
  /** Linked: a folder of the user's own, trusted by its path; its files are not verified. */
  readonly kind: 'installed' | 'linked'
  /** Where it came from, for an update. */
  readonly source: { readonly kind: string; readonly spec: string }
  /** Absolute path of the folder of a linked one. */
  readonly path?: string
  /** `sha256-<hex>` of the list of all files, of an installed one. */
  readonly integrity?: string
  /** Hex SHA-256 of package.json, of an installed one. */
  readonly manifest?: string
  /** Version of plugin-api by which the manifest was checked. */
  readonly api: string
  /** ISO 8601. */
  readonly approved: string
  /** What was shown before the user said yes. */
  readonly shown: Readonly<Record<string, unknown>>
}

/** The lock file and what lies beside it, in bkp's data folder. */
export const placesIn = (dataDirectory: string) => ({
  lock: join(dataDirectory, 'plugins.lock.json'),
  /** One folder per plugin, with everything it depends on: no plugin shares files with another. */
  plugins: join(dataDirectory, 'plugins'),
  /** The list of files that was approved, to tell what changed. */
  lists: join(dataDirectory, 'approved'),
})

/** Folder of an installed plugin with its dependencies. */
export function homeOf(dataDirectory: string, name: string): string {
  return join(placesIn(dataDirectory).plugins, folderNameOf(name))
}

/** The package itself inside of that. */
export function packageFolderOf(dataDirectory: string, name: string): string {
  return join(homeOf(dataDirectory, name), 'node_modules', name)
}

export function fileListPathOf(dataDirectory: string, name: string): string {
  return join(placesIn(dataDirectory).lists, `${folderNameOf(name)}.sha256`)
}

/** npm's rule, without the old names that have capital letters. */
export function isPackageName(name: string): boolean {
  return /^(@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/.test(name) && name.length <= 214
}

// A plus cannot stand in the name of a package.
function folderNameOf(name: string): string {
  if (!isPackageName(name)) throw new BkpError('usage', `"${name}" is not the name of a package`)
  return name.replace('/', '+')
}

/** @returns undefined where there is no lock file @throws BkpError `plugin-refused` when it cannot be trusted */
export async function readApprovals(dataDirectory: string): Promise<readonly Approval[] | undefined> {
  const { lock } = placesIn(dataDirectory)
  if (!(await requireOwn(lock, 'file'))) return undefined
  await requireOwn(dataDirectory, 'folder')
  return parseApprovals(await readFile(lock, 'utf8'), lock)
}

function parseApprovals(text: string, path: string): readonly Approval[] {
  const broken = (reason: string) =>
    new BkpError('plugin-refused', `${path} is damaged: ${reason}`, {
      hint: `Move it away, then look at every plugin and approve it anew: bkp plugins:list, bkp plugins:approve NAME`,
    })
  let json: { readonly version?: unknown; readonly plugins?: unknown }
  try {
    json = JSON.parse(text) as typeof json
  } catch {
    throw broken('it is no JSON')
  }
  if (json?.version !== 1) throw broken('it is of another version of bkp, or of none')
  if (!Array.isArray(json.plugins)) throw broken('it has no list of plugins')
  const seen = new Set<string>()
  return json.plugins.map((entry: unknown) => {
    if (!isApproval(entry)) throw broken('an entry is incomplete')
    if (seen.has(entry.name)) throw broken(`it names ${entry.name} twice`)
    seen.add(entry.name)
    return entry
  })
}

function isApproval(value: unknown): value is Approval {
  if (typeof value !== 'object' || value === null) return false
  const { name, version, kind, source, path, integrity, manifest, api, approved, shown } = value as Partial<Approval>
  const hasTexts = [version, api, approved, source?.kind, source?.spec].every((text) => typeof text === 'string')
  if (typeof name !== 'string' || !isPackageName(name) || !hasTexts || typeof shown !== 'object' || shown === null)
    return false
  if (kind === 'linked') return typeof path === 'string'
  const isHash = (text: unknown, form: RegExp) => typeof text === 'string' && form.test(text)
  return kind === 'installed' && isHash(integrity, /^sha256-[0-9a-f]{64}$/) && isHash(manifest, /^[0-9a-f]{64}$/)
}

/**
 * Changes the lock file in one step. Of two processes that do so at once the later wins; a plugin whose approval is lost
 * that way is refused, never loaded unseen.
 * @param list the files that are approved with it, to tell later what changed
 */
export async function putApproval(dataDirectory: string, approval: Approval, list?: string): Promise<void> {
  if (list !== undefined) await replaceFile(fileListPathOf(dataDirectory, approval.name), list)
  const others = ((await readApprovals(dataDirectory)) ?? []).filter(({ name }) => name !== approval.name)
  await writeApprovals(dataDirectory, [...others, approval])
}

export async function removeApproval(dataDirectory: string, name: string): Promise<void> {
  const approvals = await readApprovals(dataDirectory)
  if (approvals !== undefined)
    await writeApprovals(
      dataDirectory,
      approvals.filter((approval) => approval.name !== name),
    )
  await rm(fileListPathOf(dataDirectory, name), { force: true })
}

async function writeApprovals(dataDirectory: string, approvals: readonly Approval[]): Promise<void> {
  const plugins = [...approvals].sort((a, b) => (a.name < b.name ? -1 : 1))
  await replaceFile(placesIn(dataDirectory).lock, `${JSON.stringify({ version: 1, plugins }, undefined, 2)}\n`)
}
