import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Config, DestinationConfig } from '@bkp/core/config'
import { UsageError } from '../errors/cli-error.js'
import { quoted, safe } from '../output/text.js'
import type { PlaceFlags, Places } from './places.js'

/** A destination of the configuration. */
export interface NamedPlace {
  readonly repository: string
  readonly name: string
  readonly written: DestinationConfig
}

/** Whether a text may be `REPOSITORY`, `DESTINATION` or `REPOSITORY:DESTINATION`; a folder of that name is written `./NAME`. */
export function looksLikeName(text: string): boolean {
  return /^[A-Za-z0-9][\w.-]*(:[A-Za-z0-9][\w.-]*)?$/.test(text)
}

/**
 * What a name means: all destinations of a repository, or one destination. A repository goes before a destination of the
 * same name.
 * @returns undefined when it is none, and so a folder
 * @throws UsageError when it means several, or seems misspelt
 */
export async function namedIn(config: Config, text: string): Promise<readonly NamedPlace[] | undefined> {
  if (!looksLikeName(text)) return undefined
  const all = Object.entries(config.repositories).flatMap(([repository, { destinations }]) =>
    Object.entries(destinations).map(([name, written]): NamedPlace => ({ repository, name, written })),
  )
  const ofRepository = all.filter(({ repository }) => repository === text)
  if (ofRepository.length > 0) return ofRepository
  const matching = all.filter(({ repository, name }) => name === text || `${repository}:${name}` === text)
  if (matching.length > 1) {
    const names = matching.map(({ repository, name }) => `${repository}:${name}`)
    throw new UsageError(`"${text}" is the name of several destinations`, `Name one: ${names.join(' or ')}`)
  }
  if (matching.length === 1) return matching
  await refuseMisspelt(text, all)
  return undefined
}

/** The name that was meant by a text that is neither a name nor a path that is there, as far as it looks like one. */
export async function misspelt(text: string, known: readonly string[]): Promise<string | undefined> {
  if (known.length === 0 || existsSync(resolve(text))) return undefined
  const { nearest } = await import('@bkp/core/config')
  return nearest(text, known)
}

// Else the misspelt name of a destination would make a folder of that name here.
async function refuseMisspelt(text: string, all: readonly NamedPlace[]): Promise<void> {
  const known = all.flatMap(({ repository, name }) => [repository, name, `${repository}:${name}`])
  const meant = await misspelt(text, [...new Set(known)])
  if (meant === undefined) return
  throw new UsageError(
    `There is neither a repository nor a destination "${text}" in the configuration, nor a folder of that name`,
    `Did you mean ${meant}? A folder is written ./${text}`,
  )
}

/** The repository that all named places belong to; undefined without any. */
export function repositoryOf(named: readonly NamedPlace[]): string | undefined {
  const names = [...new Set(named.map(({ repository }) => repository))]
  if (names.length > 1) {
    throw new UsageError(`These are destinations of different repositories: ${names.join(', ')}`, 'Name those of one')
  }
  return names[0]
}

/**
 * Flags that name the same places again, for a command to type next.
 * @param unused took no part, and are not named: the URL of one that was refused may hold a secret
 */
export function placeHint(
  flag: '--to' | '--from',
  { repository, destinations }: Places,
  unused: readonly { readonly name: string }[] = [],
): string {
  const used = destinations.filter((destination) => !unused.some(({ name }) => name === destination.name))
  const names = repository === undefined ? used.map(({ url }) => url) : [repository]
  return names.map((name) => `${flag} ${safe(quoted(name))}`).join(' ')
}

/** Flags that name places to read from as they were named on this command line, for a command to type next. */
export function sameFrom({ to, from }: Pick<PlaceFlags, 'to' | 'from'>, places: Places): string {
  const given = to ?? from
  if (given === undefined) return placeHint('--from', places)
  return given.map((name) => `--from ${safe(quoted(name))}`).join(' ')
}

/**
 * The command that brings up what lags, from what does not.
 * @param lagging their URLs are shown without the query, which may hold a secret where one was refused
 */
export function syncHint(places: Places, lagging: readonly { readonly name: string }[]): string {
  if (places.repository !== undefined) return `bkp sync ${placeHint('--from', places)}`
  const behind = places.destinations.filter(({ name }) => lagging.some((one) => one.name === name))
  const shown = ({ name, url }: { name: string; url: string }) =>
    url.includes('?') ? `${name.replace(/ \(\d+\)$/, '')}?…` : name
  const targets = behind.map((destination) => `--to ${safe(quoted(shown(destination)))}`)
  return ['bkp sync', placeHint('--from', places, lagging), ...targets].filter((part) => part !== '').join(' ')
}

/** What the other destinations of the same repository are called, each by a name that means it alone. */
export function otherPlaces(config: Config, { repository, destinations }: Places): readonly string[] {
  if (repository === undefined) return []
  const all = Object.entries(config.repositories)
  const meaningsOf = (name: string) =>
    all.filter(([other, settings]) => other === name || Object.hasOwn(settings.destinations, name)).length
  return Object.keys(config.repositories[repository]?.destinations ?? {})
    .filter((name) => !destinations.some((destination) => destination.name === name))
    .map((name) => (meaningsOf(name) === 1 && name !== repository ? name : `${repository}:${name}`))
}
