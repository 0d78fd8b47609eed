import type { StorageDescription } from '@bkp/core/config'
import { looksLikeName, namedIn } from '../flags/place-names.js'
import type { ConfigFile } from './config-file.js'

/** What became of the configuration after a migration. */
export interface ConfigMove {
  /** REPOSITORY:DESTINATION that points to the new place; undefined when nothing was changed. */
  readonly name?: string
  /** What is left to do by hand. Never with a secret. */
  readonly nextSteps: readonly string[]
}

export interface MovedPlaces {
  /** As given by `--config`. */
  readonly flag: string | undefined
  /** As they were named on the command line. */
  readonly from: string
  readonly to: string
}

/**
 * Points a destination of the configuration to another place. Its limits stay. Options of the old storage go; those of the
 * new one are what its URL says, and the environment.
 */
export async function moveInConfig(
  file: ConfigFile,
  env: Readonly<Record<string, string | undefined>>,
  { flag, from, to }: MovedPlaces,
): Promise<ConfigMove> {
  if (!looksLikeName(from)) return { nextSteps: [] }
  const loaded = await file.load(flag)
  if (loaded === undefined) return { nextSteps: [] }
  const [place, other] = (await namedIn(loaded.config, from)) ?? []
  if (place === undefined || other !== undefined) return { nextSteps: [] }
  const name = `${place.repository}:${place.name}`
  if ((await namedIn(loaded.config, to)) !== undefined) {
    // It has its place there, with its own options.
    return { nextSteps: [`${name} is in the configuration still; take it out by: bkp destinations remove ${name}`] }
  }
  const { moveDestination, schemeOf } = await import('@bkp/core/config')
  const text = moveDestination(loaded.text, place.repository, place.name, { url: to })
  await file.check(text, loaded.path)
  await file.write(loaded.path, text)
  const storage = loaded.storages.find(({ schemes }) => schemes.includes(schemeOf(to)))
  return { name, nextSteps: [...droppedOptions(name, place.written.options), ...(await environmentOf(storage, env))] }
}

function droppedOptions(name: string, options: Readonly<Record<string, unknown>>): string[] {
  const names = Object.keys(options)
  return names.length === 0 ? [] : [`Options of the old place were taken out of ${name}: ${names.join(', ')}`]
}

/** This run had the credentials in its environment; a job of tomorrow may not. */
async function environmentOf(
  storage: StorageDescription | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string[]> {
  const { propertiesOf } = await import('@bkp/core/config')
  const properties = Object.entries(propertiesOf(storage?.schema ?? {}))
  const used = properties.flatMap(([option, property]) => {
    const variable = property['x-bkp-env']
    return typeof variable === 'string' && (env[variable] ?? '') !== '' ? [{ option, variable }] : []
  })
  if (used.length === 0) return []
  const options = used.map(({ option, variable }) => `${option}: env:${variable}`).join(', ')
  return [
    `Its credentials came from the environment (${used.map(({ variable }) => variable).join(', ')}): every job needs them there, or as options in the configuration, e.g. ${options}; see bkp config edit`,
  ]
}
