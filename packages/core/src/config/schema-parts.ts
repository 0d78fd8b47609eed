import type { JsonSchema } from '@bkp/plugin-api'

/** The properties of a schema of type `object`, each with its own schema. */
export function propertiesOf(schema: JsonSchema): Readonly<Record<string, JsonSchema>> {
  return (schema.properties ?? {}) as Readonly<Record<string, JsonSchema>>
}

export function isSecretProperty(schema: JsonSchema | undefined): boolean {
  return schema?.['x-bkp-secret'] === true
}

/** The environment variable that is used when nothing else gives the property. */
export function environmentNameOf(schema: JsonSchema | undefined): string | undefined {
  const name = schema?.['x-bkp-env']
  return typeof name === 'string' ? name : undefined
}

/** Keywords of ours in a schema, at any depth: Ajv refuses keywords that it was not told of. */
export function ownKeywords(schema: unknown): string[] {
  const found = new Set<string>()
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    for (const [key, inner] of Object.entries(value)) {
      if (key.startsWith('x-bkp-')) found.add(key)
      visit(inner)
    }
  }
  visit(schema)
  return [...found]
}
