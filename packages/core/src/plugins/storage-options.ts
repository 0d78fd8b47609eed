import { isSecret, type JsonSchema, Secret } from '@bkp/plugin-api'
import type { Destination } from '../config/destination.js'
import { hasPassword, shownUrl, splitQuery } from '../config/destination-url.js'
import { faultsBySchema, type OptionFault } from '../config/schema-faults.js'
import { environmentNameOf, isSecretProperty, propertiesOf } from '../config/schema-parts.js'
import { BkpError } from '../errors/index.js'

export type Environment = Readonly<Record<string, string | undefined>>

/** What a storage factory is given of a destination. */
export interface StorageOptions {
  /** Without its query. */
  readonly url: string
  readonly configuration: Readonly<Record<string, unknown>>
}

const takesNothing: JsonSchema = { type: 'object', properties: {}, additionalProperties: false }

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
  const given = destination.options ?? {}
  const texts: Record<string, string | string[]> = {}
  for (const name of new Set(query.keys())) {
    const all = query.getAll(name)
    texts[name] = all.length === 1 ? (all[0] as string) : all
  }
  for (const [name, property] of Object.entries(properties)) {
    const value = environment[environmentNameOf(property) ?? '']
    if (value !== undefined && value !== '' && !Object.hasOwn(given, name) && !Object.hasOwn(texts, name))
      texts[name] = value
  }
  const isEmpty = Object.keys(given).length === 0 && Object.keys(texts).length === 0
  if (isEmpty && isSatisfiedByNothing(schema)) return { url, configuration: {} }
  const configuration = { ...(revealed(given) as Record<string, unknown>), ...texts }
  const faults = await optionFaults(schema, texts, configuration)
  if (faults.length > 0) throw faultsError(destination, faults)
  return { url, configuration: concealed(configuration, given, schema) as Record<string, unknown> }
}

// Most destinations are folders without options: they need not wait for the validator to load.
function isSatisfiedByNothing(schema: JsonSchema): boolean {
  return !['required', 'minProperties', 'anyOf', 'oneOf', 'allOf', 'not', 'if', '$ref'].some((key) => key in schema)
}

/** Coerces `texts`, puts them into `configuration`, and checks all of it. */
async function optionFaults(
  schema: JsonSchema,
  texts: Record<string, unknown>,
  configuration: Record<string, unknown>,
): Promise<readonly OptionFault[]> {
  try {
    if (Object.keys(texts).length > 0) {
      const { properties = {}, $defs = {} } = schema
      const faults = await faultsBySchema({ type: 'object', properties, $defs }, texts, { coerceTypes: 'array' })
      if (faults.length > 0) return faults
      Object.assign(configuration, texts)
    }
    return await faultsBySchema(schema, configuration)
  } catch (cause) {
    // Ajv throws for schemas alone; what is wrong with a value it returns.
    throw new BkpError(
      'plugin-failed',
      `The schema of the storage's options is not valid: ${(cause as Error).message}`,
      {
        hint: 'Report this to the author of the plugin',
      },
    )
  }
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

function faultsError(destination: Destination, faults: readonly OptionFault[]): BkpError {
  const reasons = faults.map(({ path, message }) =>
    path.length === 0 ? message : `option ${path.join('.')} ${message}`,
  )
  return new BkpError('usage', `${shownName(destination)}: ${[...new Set(reasons)].join('; ')}`, {
    hint: 'Options stand in the configuration, or in the query of the URL: …?name=value',
  })
}

function shownName({ name }: Destination): string {
  return `Destination ${shownUrl(name)}`
}

/** Plain values, for the validator alone: its messages hold no values. */
function revealed(value: unknown): unknown {
  if (isSecret(value)) return value.reveal()
  if (Array.isArray(value)) return value.map(revealed)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, revealed(inner)]))
}

/** Secret is what the schema calls so, and what came as one. */
function concealed(value: unknown, given: unknown, schema: JsonSchema | undefined): unknown {
  if (isSecret(given) || (isSecretProperty(schema) && typeof value === 'string')) return new Secret(String(value))
  if (Array.isArray(value)) {
    const items = schema?.items as JsonSchema | undefined
    return value.map((item, n) => concealed(item, Array.isArray(given) ? given[n] : undefined, items))
  }
  if (typeof value !== 'object' || value === null) return value
  const inside = (typeof given === 'object' && given !== null ? given : {}) as Readonly<Record<string, unknown>>
  const properties = propertiesOf(schema ?? {})
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, concealed(inner, inside[key], properties[key])]),
  )
}
