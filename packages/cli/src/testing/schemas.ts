import { readdirSync, readFileSync } from 'node:fs'
import { Ajv, type ValidateFunction } from 'ajv'

const folder = new URL('../../../../docs/schemas/', import.meta.url)

function load(): Ajv {
  const ajv = new Ajv({ allErrors: true, strict: true })
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.json'))) {
    ajv.addSchema(JSON.parse(readFileSync(new URL(name, folder), 'utf8')), name)
  }
  return ajv
}

const schemas = load()

/** What a published schema has against a document; empty when nothing. */
export function violations(schema: string, document: unknown): string[] {
  const validate = schemas.getSchema(schema) as ValidateFunction
  return validate(document)
    ? []
    : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`)
}
