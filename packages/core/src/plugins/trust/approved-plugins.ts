import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { lstat, readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { apiVersion, type PluginManifest } from '@bkp/plugin-api'
import { BkpError, isBkpError } from '../../errors/index.js'
import { conflictsWith } from '../conflicts.js'
import { type InstalledPlugin, readManifest } from '../manifest.js'
import {
  type Approval,
  fileListPathOf,
  homeOf,
  isPackageName,
  packageFolderOf,
  placesIn,
  readApprovals,
} from './approvals.js'
import { changesBetween, integrityOf, listFiles } from './file-list.js'
import { foreignHand } from './own-files.js'

/** A plugin that is there and must not be used. */
export interface RefusedPlugin {
  readonly packageName: string
  readonly error: BkpError
  /** What it would contribute, as far as its manifest can be read. */
  readonly contributes: PluginManifest['contributes']
}

/** The plugins that the user installed. */
export interface ApprovedPlugins {
  /** Each verifies its files when the first of its code is needed. */
  readonly plugins: readonly InstalledPlugin[]
  readonly refused: readonly RefusedPlugin[]
}

/**
 * Decides which installed plugins count. Here only package.json is compared with what was approved; all files are
 * compared by `verify` of a plugin, before any of its code is imported. Whatever goes wrong, a plugin is refused with a
 * warning, and nothing is thrown: commands that do not need it go on.
 *
 * @param bundled plugins that come with bkp: nobody may claim what they have
 */
export async function loadApprovedPlugins(
  dataDirectory: string,
  bundled: () => Promise<readonly InstalledPlugin[]>,
  warn: (message: string) => void,
): Promise<ApprovedPlugins> {
  let folders: readonly string[] = []
  let approvals: readonly Approval[] | undefined
  try {
    folders = await foldersIn(dataDirectory)
    approvals = await readApprovals(dataDirectory)
    refuseStrayModules(dataDirectory)
  } catch (error) {
    const refusal = asRefusal(error)
    warn(`No installed plugin is used: ${refusal.message}. ${refusal.hint ?? ''}`.trimEnd())
    return { plugins: [], refused: await refuseAll(dataDirectory, folders, refusal) }
  }
  const refused = await Promise.all(
    folders
      .filter((name) => !approvals?.some((approval) => approval.name === name))
      .map((name) => refuse(dataDirectory, name, unapproved(name))),
  )
  const plugins: InstalledPlugin[] = []
  const result = () => {
    for (const { error } of refused) warn(`${error.message}. ${error.hint ?? ''}`.trimEnd())
    return { plugins, refused }
  }
  if ((approvals ?? []).length === 0) return result()
  const others = await bundled()
  for (const approval of approvals ?? []) {
    try {
      const plugin = await readApproved(dataDirectory, approval, warn)
      const conflict = conflictsWith(plugin, [...others, ...plugins])
      if (conflict !== undefined) throw new BkpError('plugin-refused', conflict, { hint: uninstallHint(approval.name) })
      plugins.push(plugin)
    } catch (error) {
      refused.push(await refuse(dataDirectory, approval.name, asRefusal(error), approval.path))
    }
  }
  return result()
}

async function readApproved(
  dataDirectory: string,
  approval: Approval,
  warn: (message: string) => void,
): Promise<InstalledPlugin> {
  const { name } = approval
  if (approval.kind === 'linked') return readLinked(approval, warn)
  const folder = packageFolderOf(dataDirectory, name)
  const text = await readFile(join(folder, 'package.json')).catch(() => {
    throw new BkpError('plugin-refused', `The plugin ${name} is not where it was installed: ${folder}`, {
      hint: `Install it again: bkp plugins:install ${name}; or forget it: bkp plugins:uninstall ${name}`,
    })
  })
  if (createHash('sha256').update(text).digest('hex') !== approval.manifest) throw await changed(dataDirectory, name)
  // What was checked by the same version need not be checked again.
  const plugin = await readManifest(folder, approval.api === apiVersion, warn)
  if (plugin.packageName !== name || plugin.version !== approval.version) throw await changed(dataDirectory, name)
  if (plugin.main.split(/[\\/]/).includes('..'))
    throw new BkpError('plugin-refused', `The entry of ${name} lies outside of the package: ${plugin.main}`, {
      hint: `Uninstall it: bkp plugins:uninstall ${name}`,
    })
  return { ...plugin, verify: () => verifyFiles(dataDirectory, approval) }
}

async function readLinked({ name, path = '' }: Approval, warn: (message: string) => void): Promise<InstalledPlugin> {
  const gone = `The linked folder of ${name} cannot be used: ${path}`
  const hint = `Link it again: bkp plugins:link FOLDER; or forget it: bkp plugins:uninstall ${name}`
  const found = await stat(path).catch((cause: unknown) => {
    throw new BkpError('plugin-refused', `${gone} is not there`, { hint, cause })
  })
  // A folder that a group may write is usual among programmers; one that everybody may write is a mistake.
  const reason = foreignHand({ uid: found.uid, mode: found.mode & ~0o020 })
  if (reason !== undefined) throw new BkpError('plugin-refused', `${gone} ${reason}`, { hint })
  const plugin = await readManifest(path, false, warn)
  if (plugin.packageName !== name)
    throw new BkpError('plugin-refused', `${gone} is now a package named ${plugin.packageName}`, { hint })
  return plugin
}

/**
 * Compares all files of an installed plugin with what was approved.
 * @throws BkpError `plugin-refused`
 */
export async function verifyFiles(dataDirectory: string, { name, integrity }: Approval): Promise<void> {
  const { plugins } = placesIn(dataDirectory)
  try {
    if (!(await lstat(plugins)).isDirectory())
      throw new BkpError('plugin-refused', `${plugins} is a symbolic link, or no folder`)
    if (integrityOf(listFiles(homeOf(dataDirectory, name))) === integrity) return
  } catch (error) {
    throw asRefusal(error)
  }
  throw await changed(dataDirectory, name)
}

async function changed(dataDirectory: string, name: string): Promise<BkpError> {
  return new BkpError(
    'plugin-refused',
    `The plugin ${name} is not what you approved${await whatChanged(dataDirectory, name)}`,
    {
      hint: `See what changed and approve it: bkp plugins:approve ${name}; or install it again: bkp plugins:install ${name}`,
    },
  )
}

/** For the message alone: the first few files. */
async function whatChanged(dataDirectory: string, name: string): Promise<string> {
  try {
    const before = await readFile(fileListPathOf(dataDirectory, name), 'utf8')
    const { added, removed, changed } = changesBetween(before, listFiles(homeOf(dataDirectory, name)).text)
    const all = [
      ...changed.map((path) => `${path} was changed`),
      ...added.map((path) => `${path} was added`),
      ...removed.map((path) => `${path} is gone`),
    ]
    if (all.length === 0) return ''
    return `: ${all.slice(0, 3).join(', ')}${all.length > 3 ? `, and ${all.length - 3} more` : ''}`
  } catch {
    // The list is for people; that the plugin is refused is known without it.
    return ''
  }
}

/** Names of the plugins whose folders are there, approved or not. */
export async function foldersIn(dataDirectory: string): Promise<readonly string[]> {
  const entries = await readdir(placesIn(dataDirectory).plugins).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return []
    throw error
  })
  return entries.map((name) => name.replace('+', '/')).filter((name) => !name.startsWith('.') && isPackageName(name))
}

// Node would look there for what a plugin imports and does not have; nothing vouches for it.
function refuseStrayModules(dataDirectory: string): void {
  for (const folder of [dataDirectory, placesIn(dataDirectory).plugins]) {
    const stray = join(folder, 'node_modules')
    if (existsSync(stray))
      throw new BkpError('plugin-refused', `${stray} is there, which bkp did not make`, {
        hint: 'Remove it: plugins could load code from there that you have not approved',
      })
  }
}

function unapproved(name: string): BkpError {
  return new BkpError('plugin-refused', `The plugin ${name} is installed, and nothing says that you approved it`, {
    hint: `Look at it and approve it: bkp plugins:approve ${name}; or remove it: bkp plugins:uninstall ${name}`,
  })
}

function uninstallHint(name: string): string {
  return `Uninstall one of them: bkp plugins:uninstall ${name}`
}

function refuseAll(dataDirectory: string, names: readonly string[], error: BkpError): Promise<RefusedPlugin[]> {
  return Promise.all(names.map((name) => refuse(dataDirectory, name, error)))
}

/** @param path of a linked one */
async function refuse(
  dataDirectory: string,
  packageName: string,
  error: BkpError,
  path = packageFolderOf(dataDirectory, packageName),
): Promise<RefusedPlugin> {
  return { packageName, error, contributes: await contributesOf(path) }
}

async function contributesOf(folder: string): Promise<PluginManifest['contributes']> {
  try {
    return (await readManifest(folder, false, () => undefined)).manifest.contributes
  } catch {
    // Only to name the plugin where something of it is missed.
    return {}
  }
}

function asRefusal(error: unknown): BkpError {
  if (isBkpError(error, 'plugin-refused')) return error
  const { message, hint } = error as { readonly message: string; readonly hint?: string }
  return new BkpError('plugin-refused', message, { cause: error, ...(hint === undefined ? {} : { hint }) })
}
