import { isSecret, type Secret } from '@bkp/plugin-api'

/** Shorter ones would be found in words that are none, and what is left around them would tell what they are. */
const shortestCharacters = 8

/** Secrets inside of options, at any depth. */
export function secretsIn(value: unknown): readonly Secret[] {
  if (isSecret(value)) return [value]
  if (typeof value !== 'object' || value === null) return []
  return Object.values(value).flatMap(secretsIn)
}

/**
 * A text, or all texts inside of a value, without secrets, whoever put them there: neither as they are nor as they stand in
 * URLs or JSON.
 */
export function hideSecrets<T>(value: T, secrets: Iterable<Secret>): T {
  const hidden = [...new Set([...secrets].flatMap(formsOf))].sort((a, b) => b.length - a.length)
  return hidden.length === 0 ? value : (without(value, hidden) as T)
}

function formsOf(secret: Secret): readonly string[] {
  const text = secret.reveal()
  if (text.length < shortestCharacters) return []
  // An encoding of URLs refuses halves of characters.
  const whole = Buffer.from(text).toString()
  return [text, encodeURIComponent(whole), encodeURI(whole), JSON.stringify(text).slice(1, -1)]
}

function without(value: unknown, hidden: readonly string[]): unknown {
  if (typeof value === 'string') return hidden.reduce((text, form) => text.replaceAll(form, '[secret]'), value)
  if (Array.isArray(value)) return value.map((inner) => without(inner, hidden))
  if (typeof value !== 'object' || value === null || isSecret(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, without(inner, hidden)]))
}
