import type { JsonSchema } from '@bkp/plugin-api'
import type { Destination } from '../config/destination.js'
import { hasPassword, shownUrl, splitQuery } from '../config/destination-url.js'
import { environmentNameOf, isSecretProperty, propertiesOf } from '../config/schema-parts.js'
import { BkpError } from '../errors/index.js'
import { type Environment, resolveOptions, takesNothing } from './plugin-options.js'

/** What a storage factory is given of a destination. */
export interface StorageOptions {
  /** Without its query. */
  readonly url: string
  readonly configuration: Readonly<Record<string, unknown>>
}

/**
 * The options of a destination, from three places: the query of its URL goes before the configuration, and the environment
 * variable that the schema names (`x-bkp-env`) is used only where neither gives the option. Text from query and environment
 * becomes what the schema wants; values of the configuration must be that already.
 *
 * @param schema of the storage's options; without one it takes none
 * @throws BkpError `usage` naming destination, option and reason, and no value
 */
export async function resolveStorageOptions(
  destination: Destination,
  schema: JsonSchema = takesNothing,
  environment: Environment = {},
): Promise<StorageOptions> {
  refusePassword(destination)
  const { url, query } = splitQuery(destination.url)
  const properties = propertiesOf(schema)
  refuseSecrets(destination, query, properties)
  const texts: Record<string, string | readonly string[]> = {}
  for (const name of new Set(query.keys())) {
    const all = query.getAll(name)
    texts[name] = all.length === 1 ? (all[0] as string) : all
  }
  const hint = 'Options stand in the configuration, or in the query of the URL: …?name=value'
  const given = { owner: shownName(destination), hint, options: destination.options ?? {}, texts }
  return { url, configuration: await resolveOptions(given, schema, environment) }
}

function refusePassword(destination: Destination): void {
  if (!hasPassword(destination.url)) return
  throw new BkpError(
    'usage',
    `The URL of ${shownName(destination)} holds a password, which every user of this machine can see`,
    {
      hint: 'Leave it out of the URL; give it in the configuration or by the environment',
    },
  )
}

function refuseSecrets(
  destination: Destination,
  query: URLSearchParams,
  properties: Readonly<Record<string, JsonSchema>>,
): void {
  for (const name of query.keys()) {
    if (!isSecretProperty(properties[name])) continue
    const variable = environmentNameOf(properties[name])
    throw new BkpError(
      'usage',
      `${shownName(destination)}: "${name}" is a secret, and every user of this machine can see it in a URL`,
      {
        hint: `Give it in the configuration${variable === undefined ? '' : `, or by the environment variable ${variable}`}`,
      },
    )
  }
}

function shownName({ name }: Destination): string {
  return `Destination ${shownUrl(name)}`
}
