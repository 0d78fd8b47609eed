import { gunzipSync } from 'node:zlib'
import { UsageError } from '../../errors/cli-error.js'

const blockBytes = 512
/** A plugin is small; what unpacks to more is a bomb. */
const maxBytes = 256 * 1024 * 1024

/**
 * Files of a tarball as `npm pack` makes it (ustar, pax headers for long names), without the folder `package`. Nothing is
 * written to the disk.
 * @throws UsageError when it is no such tarball
 */
export function readTarball(packed: Uint8Array): ReadonlyMap<string, Buffer> {
  const tar = unzipped(packed)
  const files = new Map<string, Buffer>()
  let longName: string | undefined
  for (let at = 0; at + blockBytes <= tar.length; ) {
    const header = tar.subarray(at, at + blockBytes)
    if (header.every((byte) => byte === 0)) break
    const size = Number.parseInt(text(header, 124, 12), 8)
    if (!Number.isSafeInteger(size)) throw notTarball('a header is damaged')
    const content = tar.subarray(at + blockBytes, at + blockBytes + size)
    const kind = String.fromCharCode(header[156] ?? 0)
    const prefix = text(header, 345, 155)
    const name = longName ?? (prefix === '' ? text(header, 0, 100) : `${prefix}/${text(header, 0, 100)}`)
    if (kind === 'x') longName = /\d+ path=(.*)\n/.exec(content.toString())?.[1]
    else longName = undefined
    if (kind === '0' || kind === '\0') files.set(name.replace(/^[^/]+\//, ''), content)
    at += blockBytes + Math.ceil(size / blockBytes) * blockBytes
  }
  return files
}

function unzipped(packed: Uint8Array): Buffer {
  try {
    return gunzipSync(packed, { maxOutputLength: maxBytes })
  } catch (error) {
    throw notTarball((error as Error).message)
  }
}

function notTarball(reason: string): UsageError {
  return new UsageError(`This is no tarball of npm pack: ${reason}`, 'Name the folder of a plugin, or a tarball')
}

/** A field of a header, which ends with the first NUL. */
function text(header: Buffer, offset: number, length: number): string {
  const field = header.subarray(offset, offset + length).toString()
  return field.slice(0, field.indexOf('\0') < 0 ? undefined : field.indexOf('\0')).trim()
}
