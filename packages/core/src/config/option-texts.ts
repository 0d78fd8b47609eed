import type { JsonSchema } from '@bkp/plugin-api'
import { BkpError } from '../errors/index.js'
import { type Schema, writtenOptions } from './schema.js'
import { faultsBySchema } from './schema-faults.js'

/**
 * Options that were given as text, as they are written into the configuration: numbers, truth values and lists become what
 * the schema wants. What is missing is not complained of.
 * @throws BkpError `usage` naming option and reason, and no value
 */
export async function optionsFromTexts(
  schema: JsonSchema,
  texts: Readonly<Record<string, string | readonly string[]>>,
): Promise<Readonly<Record<string, unknown>>> {
  const options: Record<string, unknown> = { ...texts }
  const written: Schema = writtenOptions(schema)
  const faults = await faultsBySchema(written, options, { coerceTypes: 'array' })
  if (faults.length === 0) return options
  const reasons = faults.map(({ path, message }) => `option ${path.join('.')} ${message}`)
  throw new BkpError('usage', reasons.join('; '), { hint: 'Options are given by --set NAME=VALUE' })
}
