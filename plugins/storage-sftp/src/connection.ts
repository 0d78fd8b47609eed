import type { Duplex } from 'node:stream'
import type { Logger } from '@bkp/plugin-api'
import type { SFTPWrapper } from 'ssh2'
import SftpClient from 'ssh2-sftp-client'
import { jump } from './jump.js'
import { type Line, openSocket } from './line.js'
import { type Hop, loginTo } from './login.js'
import { Session } from './session.js'
import { endWhenDead } from './watchdog.js'

const silent = { error: () => undefined, end: () => undefined, close: () => undefined }

/**
 * Connects, through `jumps` one after the other, checks the servers, logs in and opens an SFTP channel. Rejects with the
 * signal's reason soon after it is aborted.
 * @throws PortError `offline`, `auth`, `config` (key of a server), `forbidden` (a jump host does not forward), `transient`
 * @throws UnknownHost
 */
export async function connect(hop: Hop, jumps: readonly Hop[], log: Logger, signal?: AbortSignal): Promise<Session> {
  const hops = [...jumps, hop]
  let line = await openSocket((hops[0] as Hop).target, signal)
  const giveUp = () => line.destroy()
  signal?.addEventListener('abort', giveUp, { once: true })
  try {
    for (const [n, by] of jumps.entries()) line = await jump(by, line, (hops[n + 1] as Hop).target)
    return await logIn(hop, line, log)
  } catch (error) {
    line.destroy()
    throw signal?.aborted ? signal.reason : error
  } finally {
    signal?.removeEventListener('abort', giveUp)
  }
}

async function logIn(hop: Hop, line: Line, log: Logger): Promise<Session> {
  const { target } = hop
  const server = `${target.host}:${target.port}`
  const login = loginTo(hop, line.stream)
  let failure: Error | undefined
  const client = new SftpClient('bkp', silent)
  // Before the client's own listeners, which keep less of it.
  client.on('error', (error: Error) => {
    failure ??= error
  })
  const connecting = client.connect({
    ...login.config,
    // Lost connections are noticed by the watchdog: on a slow line, answers to these wait behind megabytes of data.
    keepaliveInterval: target.deadAfterMs / 4,
    keepaliveCountMax: Number.MAX_SAFE_INTEGER,
  })
  const software = firstLineOf(line.stream)
  let sftp: SFTPWrapper
  try {
    sftp = await connecting
  } catch (error) {
    throw login.meaningOf(failure ?? (error as Error))
  }
  log.debug('Connected', { server, user: target.user, software: software() })
  endWhenDead(line, target.deadAfterMs)
  const session = new Session(sftp, line, server, software())
  client.on('error', (error: Error) => session.end(error.message))
  return session
}

/** The server's first words, e.g. `SSH-2.0-OpenSSH_9.2p1`. Call it before the first data can have come. */
function firstLineOf(stream: Duplex): () => string {
  let text = ''
  stream.once('data', (bytes: Buffer) => {
    text = bytes.toString('latin1', 0, 512)
  })
  return () => /^SSH-[^\r\n]*/m.exec(text)?.[0] ?? ''
}
