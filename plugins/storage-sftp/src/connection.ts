import { connect as connectSocket, type Socket } from 'node:net'
import { isPortError, type Logger, PortError, portErrorOfConnection } from '@bkp/plugin-api'
import type { AnyAuthMethod, SFTPWrapper } from 'ssh2'
import SftpClient from 'ssh2-sftp-client'
import type { HostKeys, UnknownHostKey } from './host-keys.js'
import type { Identities } from './identities.js'
import { Session } from './session.js'
import type { Target } from './target.js'
import { endWhenDead } from './watchdog.js'

/** Thrown when a server is met for the first time. It is not asked here: the server would not wait for the answer. */
export class UnknownHost extends Error {
  readonly hostKey: UnknownHostKey

  constructor(hostKey: UnknownHostKey) {
    super('The server is not known')
    this.hostKey = hostKey
  }
}

// What OpenSSL does. chacha20-poly1305 is plain JavaScript in ssh2 without its native part, which is not built here, so it
// is not offered.
const ciphers = ['aes128-gcm@openssh.com', 'aes256-gcm@openssh.com', 'aes128-ctr', 'aes192-ctr', 'aes256-ctr'] as const
const silent = { error: () => undefined, end: () => undefined, close: () => undefined }

/**
 * Connects, checks the server, logs in and opens an SFTP channel. Rejects with the signal's reason soon after it is aborted.
 * @throws PortError `offline`, `auth`, `config` (key of the server), `transient`
 * @throws UnknownHost
 */
export async function connect(
  target: Target,
  identities: Identities,
  hostKeys: HostKeys,
  log: Logger,
  signal?: AbortSignal,
): Promise<Session> {
  if (identities.ways.length === 0) throw nothingToLogInWith(target, identities)
  const algorithms = hostKeys.algorithms()
  const socket = await openSocket(target, signal)
  const giveUp = () => socket.destroy()
  signal?.addEventListener('abort', giveUp, { once: true })
  try {
    return await logIn(target, socket, hostKeys, identities, algorithms, log)
  } catch (error) {
    socket.destroy()
    throw signal?.aborted ? signal.reason : error
  } finally {
    signal?.removeEventListener('abort', giveUp)
  }
}

async function logIn(
  target: Target,
  socket: Socket,
  hostKeys: HostKeys,
  identities: Identities,
  hostKeyAlgorithms: string[],
  log: Logger,
): Promise<Session> {
  const server = `${target.host}:${target.port}`
  const attempt = new Attempt(identities)
  let refusal: Error | undefined
  let failure: Error | undefined
  const client = new SftpClient('bkp', silent)
  // Before the client's own listeners, which keep less of it.
  client.on('error', (error: Error) => {
    failure ??= error
  })
  const connecting = client.connect({
    sock: socket,
    username: target.user,
    readyTimeout: target.connectTimeoutMs,
    // Lost connections are noticed by the watchdog: on a slow line, answers to these wait behind megabytes of data.
    keepaliveInterval: target.deadAfterMs / 4,
    keepaliveCountMax: Number.MAX_SAFE_INTEGER,
    algorithms: { cipher: [...ciphers], serverHostKey: hostKeyAlgorithms as never, compress: ['none'] },
    hostVerifier: (key: Buffer) => {
      try {
        const answer = hostKeys.judge(key)
        if (answer.kind === 'refused') refusal = answer.error
        if (answer.kind === 'unknown') refusal = new UnknownHost(answer)
        return answer.kind === 'trusted'
      } catch (error) {
        refusal = error as Error
        return false
      }
    },
    authHandler: (left, _partial, next) => next(attempt.next(left) as AnyAuthMethod),
  })
  const software = firstLineOf(socket)
  let sftp: SFTPWrapper
  try {
    sftp = await connecting
  } catch (error) {
    throw refusal ?? toConnectError(failure ?? (error as Error), target, attempt)
  }
  log.debug('Connected', { server, user: target.user, software: software() })
  endWhenDead(socket, target.deadAfterMs)
  const session = new Session(sftp, socket, server, software())
  client.on('error', (error: Error) => session.end(error.message))
  return session
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

/** The server's first words, e.g. `SSH-2.0-OpenSSH_9.2p1`. Call it before the first data can have come. */
function firstLineOf(socket: Socket): () => string {
  let text = ''
  socket.once('data', (bytes) => {
    text = bytes.toString('latin1', 0, 512)
  })
  return () => /^SSH-[^\r\n]*/m.exec(text)?.[0] ?? ''
}

function openSocket({ host, port, connectTimeoutMs }: Target, signal: AbortSignal | undefined): Promise<Socket> {
  signal?.throwIfAborted()
  return new Promise((resolve, reject) => {
    const socket = connectSocket({ host, port, noDelay: true })
    const onTimeout = () => {
      fail(
        new PortError('offline', `${host}:${port} does not answer within ${connectTimeoutMs / 1000} s`, {
          hint: 'Check the address, the network, and that the server is switched on',
        }),
      )
    }
    const onAbort = () => {
      clearTimeout(timer)
      socket.destroy()
      reject(signal?.reason)
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    const timer = setTimeout(onTimeout, connectTimeoutMs)
    const forget = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
    }
    const fail = (error: Error) => {
      forget()
      socket.destroy()
      reject(isPortError(error) ? error : portErrorOfConnection(error, `Cannot connect to ${host}:${port}`))
    }
    socket.once('error', fail)
    socket.once('connect', () => {
      forget()
      socket.off('error', fail)
      // The client listens from the same turn on; this is for what comes after it has left.
      socket.on('error', () => undefined)
      resolve(socket)
    })
  })
}
