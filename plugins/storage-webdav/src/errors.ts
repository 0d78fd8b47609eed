import {
  PortError,
  type PortErrorOptions,
  portErrorOfConnection,
  portErrorOfStatus,
  retryAfterMs,
} from '@bkp/plugin-api'
import type { Answer } from './answer.js'

const hints: Readonly<Record<number, string>> = {
  403: 'Check what the account may do on the server, and who owns the folder there',
  405: 'Check the path of the URL: a WebDAV server does not answer so (Nextcloud: /remote.php/dav/files/USER/FOLDER)',
  413: 'The server, or a proxy before it, limits uploads: raise the limit there to 64 MiB (nginx: client_max_body_size, Apache: LimitRequestBody)',
  423: 'Somebody has locked it, e.g. an editor or the desktop client of the server; close that, or wait until the lock ends',
  501: 'The server does not know this method of WebDAV',
  507: 'Free space on the server or raise the quota of the account, then run the same command again; nothing is damaged',
}

/**
 * A refusal as the port knows it. Takes nothing of the answer's body, which may repeat what we sent.
 * @param what e.g. `Cannot store index/ab at https://host/path/`
 * @param login who was refused, e.g. `for ann (basic)`
 */
export function errorOfAnswer(answer: Answer, what: string, login: string): PortError {
  const { status, headers } = answer
  const said = `the server answered ${`${status} ${answer.statusText}`.trim()}`
  if (status === 401) {
    return new PortError('auth', `${what}: the server refuses the login ${login}`, {
      hint: 'Check user name and password or token (BKP_WEBDAV_PASSWORD, BKP_WEBDAV_TOKEN), and that the option authentication is what the server wants',
    })
  }
  const location = redirectOf(answer)
  if (location !== undefined) {
    const advice = location.replace(/^http(s?):/, 'webdav$1:')
    return new PortError('config', `${what}: the server sends us on to ${location} (${status})`, {
      hint: `bkp does not follow, since a password could go astray; if that is right, change the URL to the place it belongs to, e.g. ${advice}`,
    })
  }
  if (status < 400) return new PortError('transient', `${what}: ${said}, which makes no sense here`)
  const options: { -readonly [K in keyof PortErrorOptions]: PortErrorOptions[K] } = {}
  const hint = hints[status]
  if (hint !== undefined) options.hint = hint
  const wait = retryAfterMs(headers.get('retry-after'), Date.now())
  if (wait !== undefined) options.retryAfterMs = wait
  return portErrorOfStatus(status, `${what}: ${said}`, options)
}

/** Where a redirect leads, without its query; undefined for other answers. */
export function redirectOf({ status, headers, url }: Answer): string | undefined {
  const location = headers.get('location')
  if (![301, 302, 303, 307, 308].includes(status) || location === null || !URL.canParse(location, url)) return undefined
  const { origin, pathname } = new URL(location, url)
  return `${origin}${pathname}`
}

/** Web servers lead from the name of a folder to the same with a slash. */
export function leadsToCollection(answer: Answer): boolean {
  const location = redirectOf(answer)
  return location !== undefined && new URL(location).pathname === `${new URL(answer.url).pathname}/`
}

/** A failed connection as the port knows it; its cause holds message and code alone. */
export function errorOfConnection(error: unknown, what: string): PortError {
  return portErrorOfConnection(bare(error), what)
}

function bare(error: unknown): Error {
  // Where a name has several addresses, each has its own error.
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error
  const { message, code } = (first ?? {}) as { message?: unknown; code?: unknown }
  return Object.assign(new Error(String(message)), code === undefined ? {} : { code })
}

export function rootMissing(root: string): PortError {
  return new PortError('not-found', `There is no folder ${root}`, {
    hint: 'Check the path of the URL, and that the account sees that folder',
  })
}
