import type { JsonSchema } from '@bkp/plugin-api'
import type { ErrorObject, Options } from 'ajv'
import type { Ajv2020 } from 'ajv/dist/2020.js'
import { nearest } from './nearest.js'
import { environmentNameOf, ownKeywords, propertiesOf } from './schema-parts.js'

/** One thing that is wrong with options. Never holds a value: it may be a secret. */
export interface OptionFault {
  /** Names of the option and of what is inside of it, outermost first; empty for the options as a whole. */
  readonly path: readonly string[]
  readonly message: string
  /** Whether something is absent: it may come from elsewhere later. */
  readonly isMissing: boolean
}

/** What a schema has against a value; nothing for a valid one. With `coerceTypes` the value is changed. */
export async function faultsBySchema(
  schema: JsonSchema,
  value: unknown,
  options: Options = {},
): Promise<readonly OptionFault[]> {
  const { Ajv2020 } = await import('./ajv.js')
  // The time goes into compiling a schema, not into what it does with the value; of most options nothing is given.
  const concerned = ofGivenProperties(schema, value)
  if (concerned !== undefined && errorsBy(Ajv2020, concerned, value, options).length === 0) return []
  // Only the whole schema knows what else there is, for messages.
  return errorsBy(Ajv2020, schema, value, options).map(faultOf)
}

/** The schema without the properties that a value does not have; undefined where parts of it may need them. */
function ofGivenProperties(schema: JsonSchema, value: unknown): JsonSchema | undefined {
  if (typeof value !== 'object' || value === null || JSON.stringify(schema).includes('"#/properties/')) return undefined
  const given = Object.entries(propertiesOf(schema)).filter(([name]) => Object.hasOwn(value, name))
  return { ...schema, properties: Object.fromEntries(given) }
}

function errorsBy(Ajv: typeof Ajv2020, schema: JsonSchema, value: unknown, options: Options): readonly ErrorObject[] {
  const ajv = new Ajv({
    allErrors: true,
    // For the schema around what is wrong; the value, which it gives too, is never told.
    verbose: true,
    // Formats are for editors. Keywords that are not known are refused: a misspelt one would check nothing.
    validateFormats: false,
    strictTypes: false,
    // Schemas of plugins that come with bkp are checked by a test; compiling the schema of schemas takes longest of all.
    validateSchema: false,
    meta: false,
    logger: false,
    ...options,
  })
  ajv.addVocabulary(ownKeywords(schema))
  const validate = ajv.compile(schema)
  if (validate(value)) return []
  // Of a value that fits none of several, only that is said; what each of them wants would confuse.
  return (validate.errors ?? []).filter(({ keyword, schemaPath }) => {
    const inner = /\/(anyOf|oneOf)\/\d/.test(schemaPath)
    return !inner && keyword !== 'if'
  })
}

export function pathOf(instancePath: string): string[] {
  return instancePath
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
}

function faultOf(error: ErrorObject): OptionFault {
  const path = pathOf(error.instancePath)
  const properties = propertiesOf(error.parentSchema ?? {})
  const params = error.params as Readonly<Record<string, unknown>>
  const property = params.additionalProperty ?? params.unevaluatedProperty
  if (typeof property === 'string') {
    return { path: [...path, property], message: unknownText(property, Object.keys(properties)), isMissing: false }
  }
  if (error.keyword === 'required' || error.keyword === 'dependentRequired') {
    const missing = String(params.missingProperty)
    const variable = environmentNameOf(properties[missing])
    const way = variable === undefined ? '' : `; it may also come from the environment variable ${variable}`
    return { path: [...path, missing], message: `is missing${way}`, isMissing: true }
  }
  return {
    path,
    message: messageOf(error, params),
    isMissing: path.length === 0 && /^(anyOf|oneOf)$/.test(error.keyword),
  }
}

function messageOf({ keyword, message }: ErrorObject, params: Readonly<Record<string, unknown>>): string {
  if (keyword === 'enum') return `must be one of ${(params.allowedValues as unknown[]).join(', ')}`
  if (keyword === 'const') return `must be ${String(params.allowedValue)}`
  return (message ?? 'is not valid').replace('must NOT', 'must not')
}

/** What to say of a key that nobody knows. */
export function unknownText(given: string, known: readonly string[]): string {
  const meant = nearest(given, known)
  if (meant !== undefined) return `is not known; did you mean "${meant}"?`
  return known.length === 0 ? 'is not known; there are none' : `is not known; known are ${known.join(', ')}`
}
