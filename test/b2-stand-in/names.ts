import { badRequest } from './api-error.js'

/** The rules of "File names" in B2's documentation. @throws ApiError 400 */
export function checkFileName(name: string): void {
  if (name === '') throw badRequest('File names must contain at least one character')
  if (Buffer.byteLength(name) > 1024) throw badRequest('File names must be at most 1024 bytes long')
  if (name.startsWith('/')) throw badRequest("File names must not start with '/'")
  if (name.endsWith('/')) throw badRequest("File names must not end with '/'")
  if (name.includes('//')) throw badRequest("File names must not contain '//'")
  if (name.includes('\\')) throw badRequest("File names must not contain '\\'")
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is refused
  if (/[\u0000-\u001f\u007f]/.test(name)) throw badRequest('File names must not contain control characters or DEL')
  if (name.split('/').some((part) => Buffer.byteLength(part) > 250))
    throw badRequest('File names must not have segments that are longer than 250 bytes')
}

/** A name out of a header or a URL path. @throws ApiError 400 */
export function decodeFileName(encoded: string): string {
  try {
    return decodeURIComponent(encoded.replaceAll('+', ' '))
  } catch {
    throw badRequest('File name is not properly percent-encoded')
  }
}

/** Names are sorted by their bytes in UTF-8. */
export function compareNames(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other))
}
