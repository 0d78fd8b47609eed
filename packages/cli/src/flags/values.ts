import { resolve } from 'node:path'
import type { SnapshotFilter } from '@bkp/core'
import { UsageError } from '../errors/cli-error.js'

const scheme = /^[A-Za-z][A-Za-z0-9+.-]+:/

/** Makes a plain path absolute; URLs stay as they are. A password in a URL is refused: every user can see it. */
export function repositoryUrl(given: string): string {
  if (given === '') throw new UsageError('The place of the repository is empty', 'Name a folder or a URL')
  refuseMistaken(given)
  if (!scheme.test(given)) return resolve(given)
  if (/^[^:]+:\/\/[^/@]*:[^/]*@/.test(given)) {
    throw new UsageError(
      'The URL of the repository holds a password, which every user of this machine can see',
      'Leave it out of the URL; give it in the configuration, or by the environment variable of this kind of storage',
    )
  }
  return given
}

/** What is meant as a URL and is none would become a folder here. */
function refuseMistaken(place: string): void {
  // A password is not repeated.
  const given = place.replace(/:[^:/@]*@/, '@')
  const [, word, rest = ''] = /^([A-Za-z][A-Za-z0-9+.-]+):?\/\/(.*)$/.exec(given) ?? []
  if (word !== undefined && !given.startsWith(`${word}:`))
    throw new UsageError(`"${given}" lacks the colon of a URL`, `Write ${word}://${rest}, or for a folder ./${given}`)
  const [, who, path] = /^([^:/@\s]+@[^/:\s]+):(.*)$/.exec(given) ?? []
  if (who !== undefined)
    throw new UsageError(
      `"${given}" is how scp and rsync name a place`,
      `Write sftp://${who}/${path?.replace(/^\//, '')}, or for a folder ./${given}`,
    )
  if (scheme.test(place) && !/^(file:|[A-Za-z][A-Za-z0-9+.-]+:\/\/)/i.test(place))
    throw new UsageError(
      `"${given}" is neither a URL nor REPOSITORY:DESTINATION of the configuration`,
      'URLs begin with SCHEME://; names: bkp destinations list; a folder is written ./NAME',
    )
}

/** Whether `//` is followed by a host or bucket, and a port is a number. @throws UsageError */
export function refuseBrokenHost(url: string): void {
  const [, host] = /^(?!file:)[^:/?#]+:\/\/(?:[^/?#@]*@)?([^/?#]*)/i.exec(url) ?? []
  if (host === undefined) return
  const shown = url.replace(/\?.*/s, '')
  if (host === '' || /\s/.test(host))
    throw new UsageError(`${shown} names no host or bucket`, 'Write SCHEME://HOST/PATH or SCHEME://BUCKET/PREFIX')
  const port = /^(?:\[[^\]]*\]|[^:]*)(?::(.*))?$/.exec(host)?.[1]
  if (port !== undefined && !(/^\d{1,5}$/.test(port) && Number(port) > 0 && Number(port) < 65_536))
    throw new UsageError(`${shown} has a port that is no number from 1 to 65535`, 'Write SCHEME://HOST:PORT/PATH')
}

/** `100M` as bytes; K, M, G and T are powers of 1024. */
export async function parseSize(text: string): Promise<number> {
  const bytes = (await import('@bkp/core/config')).parseSize(text)
  if (bytes !== undefined) return bytes
  throw new UsageError(`"${text}" is not a size`, 'Write for example 500K, 100M or 2G')
}

/** `10%` as 0.1. */
export function parseShare(text: string): number {
  const match = /^(\d+(?:\.\d+)?)%?$/.exec(text)
  const percent = match === null ? Number.NaN : Number(match[1])
  if (percent > 0 && percent <= 100) return percent / 100
  throw new UsageError(`"${text}" is not a share above 0 and up to 100%`, 'Write for example --read-data=10%')
}

export interface SnapshotPath {
  readonly snapshot: string
  readonly path?: Uint8Array
}

const isUrl = (text: string) => /^[A-Za-z][A-Za-z0-9+.-]+:\/\//.test(text)

/** `SNAP[:PATH]` in its parts. */
export function parseSnapshotPath(text: string): SnapshotPath {
  const colon = text.indexOf(':')
  const snapshot = colon < 0 ? text : text.slice(0, colon)
  if (snapshot === '')
    throw new UsageError(`"${text}" names no snapshot`, 'Write SNAP or SNAP:PATH, for example latest:/home')
  if (colon < 0) return { snapshot }
  const given = text.slice(colon + 1)
  // What a source takes for a path may be a URL; in the snapshot its parts are folders.
  const path = isUrl(given) ? `/${given.replace('://', ':/')}` : given
  if (!path.startsWith('/')) {
    const example = path.startsWith('~/')
      ? `Write ${snapshot}:$HOME${path.slice(1)}: a shell knows ~ only where a word begins`
      : `Write for example ${snapshot}:/home`
    throw new UsageError(`"${path}" is not an absolute path in the snapshot`, example)
  }
  return { snapshot, path: Buffer.from(path) }
}

export function snapshotFilter(flags: {
  readonly host?: string | undefined
  readonly tag?: string | undefined
  readonly path?: string | undefined
}): SnapshotFilter {
  const { host, tag, path } = flags
  return {
    ...(host === undefined ? {} : { hostname: host }),
    ...(tag === undefined ? {} : { tag }),
    // Paths of files are stored absolute, those of other sources as they were given.
    ...(path === undefined ? {} : { paths: [...new Set([resolve(path), path])] }),
  }
}
