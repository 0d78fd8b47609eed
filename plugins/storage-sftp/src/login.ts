import type { Duplex } from 'node:stream'
import { isPortError, PortError, portErrorOfConnection } from '@bkp/plugin-api'
import type { AnyAuthMethod, ConnectConfig } from 'ssh2'
import type { HostKeys, UnknownHostKey } from './host-keys.js'
import type { Identities } from './identities.js'
import type { Target } from './target.js'

/** A server that is logged in to, with all that was read for it once. */
export interface Hop {
  readonly target: Target
  readonly identities: Identities
  readonly hostKeys: HostKeys
}

/** How a hop is logged in to over `stream`, and what an error of ssh2 means then. */
export interface Login {
  readonly config: ConnectConfig
  /** @returns a PortError, or an UnknownHost */
  meaningOf(error: Error): Error
}

/** Thrown when a server is met for the first time. It is not asked here: the server would not wait for the answer. */
export class UnknownHost extends Error {
  readonly hostKeys: HostKeys
  readonly hostKey: UnknownHostKey

  constructor(hostKeys: HostKeys, hostKey: UnknownHostKey) {
    super('The server is not known')
    this.hostKeys = hostKeys
    this.hostKey = hostKey
  }
}

// What OpenSSL does. chacha20-poly1305 is plain JavaScript in ssh2 without its native part, which is not built here, so it
// is not offered.
const ciphers = ['aes128-gcm@openssh.com', 'aes256-gcm@openssh.com', 'aes128-ctr', 'aes192-ctr', 'aes256-ctr'] as const

/** @throws PortError `auth` where there is nothing to log in with, `config` when known_hosts cannot be read */
export function loginTo({ target, identities, hostKeys }: Hop, stream: Duplex): Login {
  if (identities.ways.length === 0) throw nothingToLogInWith(target, identities)
  const attempt = new Attempt(identities)
  let refusal: Error | undefined
  return {
    config: {
      sock: stream,
      username: target.user,
      readyTimeout: target.connectTimeoutMs,
      algorithms: { cipher: [...ciphers], serverHostKey: hostKeys.algorithms() as never, compress: ['none'] },
      hostVerifier: (key: Buffer) => {
        try {
          const answer = hostKeys.judge(key)
          if (answer.kind === 'refused') refusal = answer.error
          if (answer.kind === 'unknown') refusal = new UnknownHost(hostKeys, answer)
          return answer.kind === 'trusted'
        } catch (error) {
          refusal = error as Error
          return false
        }
      },
      authHandler: (left, _partial, next) => next(attempt.next(left) as AnyAuthMethod),
    },
    meaningOf: (error) => refusal ?? toConnectError(error, target, attempt),
  }
}

/** Gives the server one way to log in after the other. */
class Attempt {
  readonly tried: string[] = []
  readonly identities: Identities
  #next = 0
  isExhausted = false

  constructor(identities: Identities) {
    this.identities = identities
  }

  /** @param offered by the server; unknown before the first attempt */
  next(offered: readonly string[] | null): AnyAuthMethod | false {
    for (;;) {
      const way = this.identities.ways[this.#next++]
      if (way === undefined) {
        this.isExhausted = true
        return false
      }
      if (offered !== null && !offered.includes(way.kind)) continue
      this.tried.push(way.name)
      return way.method()
    }
  }
}

function toConnectError(error: Error, target: Target, attempt: Attempt): PortError {
  const { host, port, user } = target
  const isDenied = attempt.isExhausted || /too many authentication failures/i.test(error.message)
  if (isDenied) {
    const { unusable, hint } = attempt.identities
    const tried = attempt.tried.length === 0 ? 'nothing that it offers' : attempt.tried.join(', ')
    const also = unusable.length === 0 ? '' : ` (${unusable.join('; ')})`
    return new PortError('auth', `${host}:${port} does not let ${user} in; tried ${tried}${also}`, {
      hint: hint ?? `Try it by hand: sftp -P ${port} ${user}@${host}`,
    })
  }
  if (isPortError(error)) return error
  const { level } = error as { level?: string }
  if (level === 'handshake' && /no matching/i.test(error.message)) {
    return new PortError('unsupported', `${host}:${port} and bkp have no algorithm in common: ${error.message}`, {
      hint: 'Update the SSH server: it needs AES-GCM or AES-CTR, and a key exchange and host key newer than SHA-1',
    })
  }
  if (/unable to start subsystem|subsystem/i.test(error.message)) {
    return new PortError('unsupported', `${host}:${port} lets ${user} in, but offers no SFTP: ${error.message}`)
  }
  return portErrorOfConnection(error, `Cannot connect to ${host}:${port}`)
}

function nothingToLogInWith({ user, host, port }: Target, { unusable, hint }: Identities): PortError {
  const also = unusable.length === 0 ? '' : `: ${unusable.join('; ')}`
  return new PortError('auth', `There is no key and no password to log in to ${host}:${port} as ${user}${also}`, {
    hint: hint ?? 'Name a key by the option privateKey, start an agent, or set BKP_SFTP_PASSWORD',
  })
}
