import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { apiVersion, type PluginManifest } from '@bkp/plugin-api'
import semver from 'semver'
import { BkpError, isBkpError } from '../errors/index.js'
import { manifestSchema } from './manifest-schema.js'

/** A plugin as its package.json describes it; none of its code has run. */
export interface InstalledPlugin {
  readonly directory: string
  readonly packageName: string
  readonly version: string
  /** Entry module inside the package. */
  readonly main: string
  readonly manifest: PluginManifest
  /** It comes with bkp, and so is trusted to behave. */
  readonly isBundled?: boolean
  /**
   * Called before any of its code is imported; absent where whoever named the folder vouches for it.
   * @throws BkpError `plugin-refused`
   */
  readonly verify?: () => void
}

/** An installed plugin that cannot be used. Nothing but what needs it is to fail. */
export interface FaultyPlugin {
  readonly packageName: string
  /** The key `bkp` of its package.json as far as it could be read; not valid. */
  readonly manifest: unknown
  readonly error: BkpError
}

export interface ReadManifests {
  readonly plugins: readonly InstalledPlugin[]
  readonly faulty: readonly FaultyPlugin[]
}

/** Folders of plugin packages. */
export interface PluginDirectories {
  /** Those that come with bkp. */
  readonly bundled: readonly string[]
  readonly installed: readonly string[]
  /** Those that the user installed and approved, read already. */
  readonly approved?: ReadManifests
}

export const knownPorts = ['storage', 'compression', 'encryption', 'source', 'notifier'] as const

export type PortName = (typeof knownPorts)[number]

/**
 * Of the installed plugins those that are not valid are set aside.
 * @throws BkpError `plugin-failed` for a manifest of bkp's own that cannot be read
 */
export async function readManifests(
  { bundled, installed, approved = { plugins: [], faulty: [] } }: PluginDirectories,
  warn: (message: string) => void,
): Promise<ReadManifests> {
  const faulty: FaultyPlugin[] = [...approved.faulty]
  const readInstalled = async (directory: string): Promise<readonly InstalledPlugin[]> => {
    try {
      return [await readManifest(directory, false, warn)]
    } catch (error) {
      if (!isBkpError(error)) throw error
      const { name = directory, bkp } = await readPackage(directory).catch(() => ({}) as Record<string, unknown>)
      faulty.push({ packageName: String(name), manifest: bkp, error })
      return []
    }
  }
  const own = await Promise.all(bundled.map((directory) => readManifest(directory, true, warn)))
  const others = (await Promise.all(installed.map(readInstalled))).flat()
  return { plugins: [...own, ...others, ...approved.plugins], faulty }
}

async function readPackage(directory: string): Promise<Record<string, unknown>> {
  return JSON.parse(await readFile(join(directory, 'package.json'), 'utf8')) as Record<string, unknown>
}

/**
 * @param isBundled whether it comes with bkp: a test has checked its manifest, so that a start need not
 * @throws BkpError `plugin-failed` naming the package and what is wrong with it
 */
export async function readManifest(
  directory: string,
  isBundled: boolean,
  warn: (message: string) => void,
): Promise<InstalledPlugin> {
  let json: Record<string, unknown>
  try {
    json = await readPackage(directory)
  } catch (cause) {
    throw new BkpError('plugin-failed', `The plugin in ${directory} has no readable package.json`, { cause })
  }
  const packageName = String(json.name ?? directory)
  const manifest = json.bkp
  const reasons = isBundled ? [] : await faultsOf(manifest)
  if (reasons.length > 0) {
    throw new BkpError('plugin-failed', `The manifest of ${packageName} is not valid: ${reasons.join('; ')}`)
  }
  const valid = manifest as unknown as PluginManifest
  if (!fitsApi(valid.api)) {
    throw new BkpError(
      'plugin-failed',
      `${packageName} is written for plugin API ${valid.api}, and this bkp has ${apiVersion}`,
      { hint: rangeHint(packageName, valid.api) },
    )
  }
  for (const kind of Object.keys(valid.contributes)) {
    if (!knownPorts.some((port) => port === kind))
      warn(
        `${packageName} contributes "${kind}", which plugin API ${apiVersion} of this bkp does not know; a newer bkp may know it`,
      )
  }
  return {
    directory,
    packageName,
    version: String(json.version ?? '0.0.0'),
    main: entryOf(json),
    manifest: valid,
    isBundled,
  }
}

/** Whether a plugin for that range of plugin-api works with this bkp. */
export function fitsApi(range: string): boolean {
  return semver.satisfies(apiVersion, range)
}

/** What is wrong with a manifest; nothing for a valid one. */
export async function faultsOf(manifest: unknown): Promise<readonly string[]> {
  const { Ajv2020 } = await import('../config/ajv.js')
  // That the schema itself is right, a test knows; to look at it here takes longer than all else.
  const validate = new Ajv2020({ allErrors: true, validateSchema: false, meta: false }).compile(manifestSchema)
  if (validate(manifest)) return []
  return (validate.errors ?? []).map(({ instancePath, message }) => `bkp${instancePath} ${message ?? ''}`)
}

/** What to do about a range that does not fit: which of the two is too old can be told from the range. */
function rangeHint(packageName: string, range: string): string {
  if (semver.validRange(range) === null)
    return `"${range}" is no range of versions; report this to the author of ${packageName}`
  return semver.gtr(apiVersion, range)
    ? `Install a newer version of ${packageName}, written for plugin API ${apiVersion}`
    : `Install a newer version of bkp, or an older one of ${packageName}`
}

/** Path of the entry module inside of a package. */
export function entryOf(json: Readonly<Record<string, unknown>>): string {
  if (typeof json.exports === 'string') return json.exports
  const root = (json.exports as Record<string, unknown> | undefined)?.['.']
  if (typeof root === 'string') return root
  const entry = (root as Record<string, unknown> | undefined)?.default
  if (typeof entry === 'string') return entry
  return typeof json.main === 'string' ? json.main : './index.js'
}
