import { AuthType, createClient, type WebDAVClient, type WebDAVClientOptions } from 'webdav'
import type { Answer } from './answer.js'
import type { Settings } from './settings.js'

export type Scheme = 'none' | 'basic' | 'digest' | 'bearer'

/** How to log in, where the options leave it to the server; undefined as long as it has to be asked. */
export function schemeOf({ authentication, token, username }: Settings): Scheme | undefined {
  if (authentication !== 'auto') return authentication
  if (token !== undefined) return 'bearer'
  return username === undefined ? 'none' : undefined
}

/**
 * What to take after an answer to a request without login. Digest where it is offered: it does not give the password
 * away. A server that lets everybody read asks for nothing yet, and gets `basic` with its first write.
 */
export function schemeOfChallenge({ status, headers }: Answer): Scheme {
  const challenge = status === 401 ? (headers.get('www-authenticate') ?? '') : ''
  return /(^|,)\s*digest\s/i.test(challenge) ? 'digest' : 'basic'
}

/**
 * The header for one request; digest is up to the library. Made anew for every request, so that secrets are revealed
 * as late as possible. In UTF-8, as RFC 7617 and Nextcloud have it; the library's own would refuse characters beyond Latin-1.
 */
export function authorization(scheme: Scheme, settings: Settings): Readonly<Record<string, string>> {
  if (scheme === 'bearer') return { Authorization: `Bearer ${settings.token?.reveal() ?? ''}` }
  if (scheme !== 'basic') return {}
  const login = Buffer.from(`${settings.username ?? ''}:${settings.password?.reveal() ?? ''}`, 'utf8')
  return { Authorization: `Basic ${login.toString('base64')}` }
}

/**
 * A client of the library. One with digest must carry one request at a time: it counts its requests only as they end,
 * and servers may refuse a nonce with the same count twice.
 */
export function clientFor(scheme: Scheme, settings: Settings, agents: WebDAVClientOptions): WebDAVClient {
  if (scheme !== 'digest') return createClient(settings.root, { ...agents, authType: AuthType.None })
  return createClient(settings.root, {
    ...agents,
    authType: AuthType.Digest,
    username: settings.username ?? '',
    password: settings.password?.reveal() ?? '',
  })
}

/** For messages: who logs in, and how. */
export function loginOf(scheme: Scheme, { username }: Settings): string {
  if (scheme === 'none') return 'without user name'
  return scheme === 'bearer' ? 'by token' : `of ${username ?? ''} (${scheme})`
}
