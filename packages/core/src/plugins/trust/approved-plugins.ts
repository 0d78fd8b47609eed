import { createHash } from 'node:crypto'
import { existsSync, lstatSync, readFileSync } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { apiVersion } from '@bkp/plugin-api'
import { BkpError, isBkpError } from '../../errors/index.js'
import { type FaultyPlugin, type InstalledPlugin, type ReadManifests, readManifest } from '../manifest.js'
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
import { installAgain } from './install-again.js'
import { foreignHand } from './own-files.js'

/**
 * Decides which of the plugins that the user installed count. Here only package.json is compared with what was approved; all
 * files are compared by `verify` of a plugin, before any of its code is imported. Whatever goes wrong, a plugin is set aside
 * with its error, and nothing is thrown: commands that do not need it go on.
 *
 * @param warn hears what concerns no single plugin
 */
export async function loadApprovedPlugins(
  dataDirectory: string,
  warn: (message: string) => void,
): Promise<ReadManifests> {
  let folders: readonly string[] = []
  let approvals: readonly Approval[] | undefined
  try {
    folders = await foldersIn(dataDirectory)
    approvals = await readApprovals(dataDirectory)
    refuseStrayModules(dataDirectory)
  } catch (error) {
    const refusal = asRefusal(error)
    if (folders.length === 0) warn(`No installed plugin is used: ${refusal.message}. ${refusal.hint ?? ''}`.trimEnd())
    return { plugins: [], faulty: await Promise.all(folders.map((name) => setAside(dataDirectory, name, refusal))) }
  }
  const plugins: InstalledPlugin[] = []
  const faulty = await Promise.all(
    folders
      .filter((name) => !approvals?.some((approval) => approval.name === name))
      .map((name) => setAside(dataDirectory, name, unapproved(name))),
  )
  for (const approval of approvals ?? []) {
    try {
      plugins.push(await readApproved(dataDirectory, approval, warn))
    } catch (error) {
      faulty.push(await setAside(dataDirectory, approval.name, asRefusal(error), approval.path))
    }
  }
  return { plugins, faulty }
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
    const install = installAgain(dataDirectory, approval)
    const again = install === undefined ? '' : `; or install it again: ${install}`
    throw new BkpError('plugin-refused', `The plugin ${name} is not where it was installed: ${folder}`, {
      hint: `Forget it: bkp plugins:uninstall ${name}${again}`,
    })
  })
  if (createHash('sha256').update(text).digest('hex') !== approval.manifest) throw changed(dataDirectory, approval)
  // What was checked by the same version need not be checked again.
  const plugin = await readManifest(folder, approval.api === apiVersion, warn)
  if (plugin.packageName !== name || plugin.version !== approval.version) throw changed(dataDirectory, approval)
  if (plugin.main.split(/[\\/]/).includes('..'))
    throw new BkpError('plugin-refused', `The entry of ${name} lies outside of the package: ${plugin.main}`, {
      hint: `Uninstall it: bkp plugins:uninstall ${name}`,
    })
  return { ...plugin, isBundled: false, verify: () => verifyFiles(dataDirectory, approval) }
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
export function verifyFiles(dataDirectory: string, approval: Approval): void {
  const { name, integrity } = approval
  const { plugins } = placesIn(dataDirectory)
  try {
    if (!lstatSync(plugins).isDirectory())
      throw new BkpError('plugin-refused', `${plugins} is a symbolic link, or no folder`)
    if (integrityOf(listFiles(homeOf(dataDirectory, name))) === integrity) return
  } catch (error) {
    throw asRefusal(error)
  }
  throw changed(dataDirectory, approval)
}

function changed(dataDirectory: string, approval: Approval): BkpError {
  const { name } = approval
  const install = installAgain(dataDirectory, approval)
  return new BkpError(
    'plugin-refused',
    `The plugin ${name} is not what you approved${whatChanged(dataDirectory, name)}`,
    {
      hint: `See what changed and approve it: bkp plugins:approve ${name}${install === undefined ? '' : `; or install it again: ${install}`}`,
    },
  )
}

/** For the message alone: the first few files. */
function whatChanged(dataDirectory: string, name: string): string {
  try {
    const before = readFileSync(fileListPathOf(dataDirectory, name), 'utf8')
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

/** @param path of a linked one */
async function setAside(
  dataDirectory: string,
  packageName: string,
  error: BkpError,
  path = packageFolderOf(dataDirectory, packageName),
): Promise<FaultyPlugin> {
  // What it would contribute is only for naming it where that is missed.
  const text = await readFile(join(path, 'package.json'), 'utf8').catch(() => '{}')
  return { packageName, manifest: manifestIn(text), error }
}

function manifestIn(text: string): unknown {
  try {
    return (JSON.parse(text) as { readonly bkp?: unknown } | null)?.bkp
  } catch {
    return undefined
  }
}

function asRefusal(error: unknown): BkpError {
  if (isBkpError(error, 'plugin-refused')) return error
  const { message, hint } = error as { readonly message: string; readonly hint?: string }
  return new BkpError('plugin-refused', message, { cause: error, ...(hint === undefined ? {} : { hint }) })
}
