import { looksLikeName, namedIn } from '../flags/place-names.js'
import type { ConfigFile } from './config-file.js'

/**
 * Points a destination of the configuration to another place. Options of the old storage go, its limits stay.
 * @param from as it was named on the command line
 * @param to likewise; a name of the configuration has a place of its own there, and nothing is changed
 * @returns the name of what was changed; undefined when there is nothing to change
 */
export async function moveInConfig(
  file: ConfigFile,
  flag: string | undefined,
  from: string,
  to: string,
): Promise<string | undefined> {
  if (!looksLikeName(from)) return undefined
  const loaded = await file.load(flag)
  if (loaded === undefined || (await namedIn(loaded.config, to)) !== undefined) return undefined
  const [place, other] = (await namedIn(loaded.config, from)) ?? []
  if (place === undefined || other !== undefined) return undefined
  const { moveDestination } = await import('@bkp/core/config')
  const text = moveDestination(loaded.text, place.repository, place.name, { url: to })
  await file.check(text, loaded.path)
  await file.write(loaded.path, text)
  return `${place.repository}:${place.name}`
}
