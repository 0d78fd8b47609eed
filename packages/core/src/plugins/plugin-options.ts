import { isSecret, type JsonSchema, Secret } from '@bkp/plugin-api'
import { faultsBySchema, type OptionFault } from '../config/schema-faults.js'
import { environmentNameOf, isSecretProperty, propertiesOf } from '../config/schema-parts.js'
import { BkpError } from '../errors/index.js'

export type Environment = Readonly<Record<string, string | undefined>>

export interface GivenOptions {
  /** Whose options they are, in messages, e.g. `Destination nas`. */
  readonly owner: string
  /** What to do about options that are not valid. */
  readonly hint: string
  /** Of the configuration: what the schema wants already; secrets are `Secret`s. */
  readonly options: Readonly<Record<string, unknown>>
  /** Given as text, and before the options above: becomes what the schema wants. */
  readonly texts?: Readonly<Record<string, string | readonly string[]>>
}

export const takesNothing: JsonSchema = { type: 'object', properties: {}, additionalProperties: false }

/**
 * The options of a contribution, checked. The environment variable that the schema names (`x-bkp-env`) is used only where
 * nothing else gives the option.
 *
 * @throws BkpError `usage` naming owner, option and reason, and no value
 */
export async function resolveOptions(
  { owner, hint, options: given, texts: givenTexts = {} }: GivenOptions,
  schema: JsonSchema,
  environment: Environment,
): Promise<Readonly<Record<string, unknown>>> {
  const texts: Record<string, string | readonly string[]> = { ...givenTexts }
  for (const [name, property] of Object.entries(propertiesOf(schema))) {
    const value = environment[environmentNameOf(property) ?? '']
    if (value !== undefined && value !== '' && !Object.hasOwn(given, name) && !Object.hasOwn(texts, name))
      texts[name] = value
  }
  const isEmpty = Object.keys(given).length === 0 && Object.keys(texts).length === 0
  if (isEmpty && isSatisfiedByNothing(schema)) return {}
  const configuration = { ...(revealed(given) as Record<string, unknown>), ...texts }
  const faults = await optionFaults(owner, schema, texts, configuration)
  if (faults.length > 0) {
    const reasons = faults.map(({ path, message }) =>
      path.length === 0 ? message : `option ${path.join('.')} ${message}`,
    )
    throw new BkpError('usage', `${owner}: ${[...new Set(reasons)].join('; ')}`, { hint })
  }
  return concealed(configuration, given, schema) as Record<string, unknown>
}

// Most destinations are folders without options: they need not wait for the validator to load.
function isSatisfiedByNothing(schema: JsonSchema): boolean {
  return !['required', 'minProperties', 'anyOf', 'oneOf', 'allOf', 'not', 'if', '$ref'].some((key) => key in schema)
}

/** Coerces `texts`, puts them into `configuration`, and checks all of it. */
async function optionFaults(
  owner: string,
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
      `${owner}: the schema of its options is not valid: ${(cause as Error).message}`,
      {
        hint: 'Report this to the author of the plugin',
      },
    )
  }
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
