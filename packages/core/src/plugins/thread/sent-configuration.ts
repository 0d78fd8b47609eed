import { isSecret, Secret } from '@bkp/plugin-api'

const secretKey = 'bkp.secret'

/** A configuration that can cross threads: the class of secrets does not survive that by itself. */
export function sendConfiguration(configuration: Readonly<Record<string, unknown>>): unknown {
  return mapped(configuration, (value) => (isSecret(value) ? { [secretKey]: value.reveal() } : undefined))
}

export function receiveConfiguration(sent: unknown): Readonly<Record<string, unknown>> {
  const secretOf = (value: object) => {
    const text: unknown = Reflect.get(value, secretKey)
    return typeof text === 'string' ? new Secret(text) : undefined
  }
  return mapped(sent, secretOf) as Readonly<Record<string, unknown>>
}

/** @param change what an object becomes; undefined for those that stay */
function mapped(value: unknown, change: (value: object) => unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  const changed = change(value)
  if (changed !== undefined) return changed
  if (Array.isArray(value)) return value.map((inner) => mapped(inner, change))
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, mapped(inner, change)]))
}
