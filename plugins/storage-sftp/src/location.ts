import { PortError } from '@bkp/plugin-api'

/** What a URL of this storage says. */
export interface Location {
  /** A host, an address, or an alias of the ssh configuration. */
  readonly host: string
  readonly port?: number
  readonly user?: string
  readonly folder: Folder
}

export interface Folder {
  /** `login`: below the folder that the server shows first, usually the home of the user. */
  readonly from: 'root' | 'login'
  /** Without a slash at its end; for `login` also without one at its beginning, and empty for that folder itself. */
  readonly path: string
}

const example = 'Write sftp://user@host/folder, or sftp://user@host/~/folder for a folder in the home of the user'

/** @throws PortError `config` */
export function parseLocation(url: string): Location {
  const parsed = parse(url)
  if (parsed.password !== '') {
    throw new PortError('config', 'A password may not stand in the URL of an SFTP server', {
      hint: 'Set BKP_SFTP_PASSWORD or the option password, or better use a key',
    })
  }
  if (parsed.protocol !== 'sftp:' || parsed.hostname === '') throw notUnderstood(url)
  if (parsed.pathname === '') {
    throw new PortError('config', `${url} names no folder on the server`, { hint: example })
  }
  return {
    host: parsed.hostname.replace(/^\[(.*)\]$/, '$1'),
    ...(parsed.port === '' ? {} : { port: Number(parsed.port) }),
    ...(parsed.username === '' ? {} : { user: decode(parsed.username, url) }),
    folder: toFolder(parsed.pathname, url),
  }
}

function parse(url: string): URL {
  try {
    return new URL(url)
  } catch {
    throw notUnderstood(url)
  }
}

function toFolder(pathname: string, url: string): Folder {
  // Before it is decoded: a folder that is really called ~ in the root can be written as %7E.
  const isBelowLogin = pathname === '/~' || pathname.startsWith('/~/')
  const path = decode(isBelowLogin ? pathname.slice(2) : pathname, url).replace(/\/+/g, '/')
  if (path.includes('\0')) throw notUnderstood(url)
  const trimmed = path.replace(/\/$/, '')
  return isBelowLogin
    ? { from: 'login', path: trimmed.replace(/^\//, '') }
    : { from: 'root', path: trimmed === '' ? '/' : trimmed }
}

function decode(text: string, url: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw notUnderstood(url)
  }
}

function notUnderstood(url: string): PortError {
  return new PortError('config', `${withoutPassword(url)} is no URL of an SFTP server`, { hint: example })
}

/** Whoever wrote a password into a URL that is wrong elsewhere shall not find it in a log. */
function withoutPassword(url: string): string {
  return url.replace(/^([^/]*\/\/[^/:@]*):.*@/, '$1:[secret]@')
}
