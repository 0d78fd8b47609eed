import type { JsonSchema } from '@bkp/plugin-api'

/** Keywords of bkp's own that a schema of a configuration may use. */
export const knownOwnKeywords = ['x-bkp-secret', 'x-bkp-env', 'x-bkp-ask'] as const

/** Why a schema could not check a configuration; undefined for one that can. Stricter than bkp itself is at run time. */
export async function configurationSchemaFault(schema: JsonSchema): Promise<string | undefined> {
  if (schema.type !== 'object') return 'its type has to be "object"'
  const { Ajv2020 } = await import('../config/ajv.js')
  const ajv = new Ajv2020({
    strict: true,
    strictTypes: false,
    strictRequired: false,
    validateFormats: false,
    logger: false,
  })
  ajv.addVocabulary([...knownOwnKeywords])
  try {
    ajv.compile(schema)
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}
