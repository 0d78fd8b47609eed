import { damaged } from '../errors/index.js'

/** Parses UTF-8 JSON that must be an object. @throws BkpError `damaged` */
export function parseJsonObject(bytes: Uint8Array, what: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw damaged(`${what} is not JSON`, cause)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw damaged(`${what} is not a JSON object`)
  return value as Record<string, unknown>
}

export function isStringArray(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}
