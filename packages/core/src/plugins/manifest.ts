import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { apiVersion, type PluginManifest } from '@bkp/plugin-api'
import semver from 'semver'
import { BkpError } from '../errors/index.js'
import { manifestSchema } from './manifest-schema.js'

/** A plugin as its package.json describes it; none of its code has run. */
export interface InstalledPlugin {
  readonly directory: string
  readonly packageName: string
  readonly version: string
  /** Entry module inside the package. */
  readonly main: string
  readonly manifest: PluginManifest
}

/** Folders of plugin packages. */
export interface PluginDirectories {
  /** Those that come with bkp. */
  readonly bundled: readonly string[]
  readonly installed: readonly string[]
}

export const knownPorts = ['storage', 'compression', 'encryption', 'source', 'notifier'] as const

/** @throws BkpError `plugin-failed` for the first manifest that is not valid */
export function readManifests(
  { bundled, installed }: PluginDirectories,
  warn: (message: string) => void,
): Promise<readonly InstalledPlugin[]> {
  const read = (isBundled: boolean) => (directory: string) => readManifest(directory, isBundled, warn)
  return Promise.all([...bundled.map(read(true)), ...installed.map(read(false))])
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
  const path = join(directory, 'package.json')
  let json: Record<string, unknown>
  try {
    json = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>
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
  if (!semver.satisfies(apiVersion, valid.api)) {
    throw new BkpError(
      'plugin-failed',
      `${packageName} is written for plugin API ${valid.api}, and this bkp has ${apiVersion}`,
      {
        hint: `Install a version of ${packageName} that fits, or another version of bkp`,
      },
    )
  }
  for (const kind of Object.keys(valid.contributes)) {
    if (!knownPorts.some((port) => port === kind))
      warn(`${packageName} contributes "${kind}", which this version of bkp (plugin API ${apiVersion}) does not know`)
  }
  return { directory, packageName, version: String(json.version ?? '0.0.0'), main: entryOf(json), manifest: valid }
}

/** What is wrong with a manifest; nothing for a valid one. */
export async function faultsOf(manifest: unknown): Promise<readonly string[]> {
  const { Ajv2020 } = await import('ajv/dist/2020.js')
  const validate = new Ajv2020({ allErrors: true }).compile(manifestSchema)
  if (validate(manifest)) return []
  return (validate.errors ?? []).map(({ instancePath, message }) => `bkp${instancePath} ${message ?? ''}`)
}

function entryOf(json: Record<string, unknown>): string {
  const root = (json.exports as Record<string, unknown> | undefined)?.['.']
  if (typeof root === 'string') return root
  const entry = (root as Record<string, unknown> | undefined)?.default
  if (typeof entry === 'string') return entry
  return typeof json.main === 'string' ? json.main : './index.js'
}
