import { PortError } from './error.js'
import type { ByteRange } from './source.js'
import type { GetOptions } from './storage.js'

/**
 * The bytes that a `get` asks for, of an object of known size.
 * @throws PortError `range-invalid` when it begins or ends behind the end
 */
export function rangeWithin(key: string, sizeBytes: number, { offset = 0, length }: GetOptions): ByteRange {
  const wanted = length ?? sizeBytes - offset
  if (offset < 0 || wanted < 0 || offset + wanted > sizeBytes) throw rangeInvalid(key, offset, length)
  return { offset, length: wanted }
}

/** The error for a range that lies outside its object. */
export function rangeInvalid(key: string, offset: number, length: number | undefined): PortError {
  const end = length === undefined ? 'the end' : `${offset + length}`
  return new PortError('range-invalid', `${key} has no bytes ${offset} to ${end}`)
}
