import type { JsonSchema } from '@bkp/plugin-api'
import { isSecretProperty, propertiesOf } from '../config/schema-parts.js'
import { BkpError } from '../errors/index.js'

/**
 * Options of sources, codecs and ciphers are plain data: `bkp config show` and the list of processes show them, and threads
 * get copies. A value for one that is marked as a secret is not taken.
 *
 * @param owner whose options they are, e.g. `the source "db"`
 * @throws BkpError `usage` naming the option, and no value
 */
export function refuseSecrets(
  schema: JsonSchema,
  configuration: Readonly<Record<string, unknown>>,
  { owner, packageName }: { readonly owner: string; readonly packageName: string },
): void {
  const [path] = secretsGiven(schema, configuration)
  if (path === undefined) return
  throw new BkpError(
    'usage',
    `The option ${path.join('.')} of ${owner} is a secret, and is not taken: others could see it`,
    {
      hint: `Report this to the author of ${packageName}, which has to read it from a file or an environment variable. If it was a real secret, change it`,
    },
  )
}

function secretsGiven(schema: JsonSchema | undefined, value: unknown): readonly (readonly string[])[] {
  if (value === undefined || schema === undefined) return []
  if (isSecretProperty(schema)) return [[]]
  if (typeof value !== 'object' || value === null) return []
  const of = Array.isArray(value)
    ? () => schema.items as JsonSchema | undefined
    : (key: string) => propertiesOf(schema)[key]
  return Object.entries(value).flatMap(([key, inner]) => secretsGiven(of(key), inner).map((path) => [key, ...path]))
}
