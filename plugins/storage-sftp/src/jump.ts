import { PortError } from '@bkp/plugin-api'
import ssh2, { type Client, type ClientChannel } from 'ssh2'
import type { Line } from './line.js'
import { type Hop, loginTo } from './login.js'
import type { Target } from './target.js'

/** What a server says to a channel that it does not open; RFC 4254, 5.1. */
const prohibited = 1
const connectFailed = 2

/**
 * Logs in to a jump host over `line`, and has it connect to the next server. What goes wrong later on the way to it ends the
 * new line, with an error that names it.
 * @throws PortError as for every login; `forbidden` when it does not forward, `offline` when it cannot reach the next
 * @throws UnknownHost
 */
export async function jump(hop: Hop, line: Line, next: Target): Promise<Line> {
  const { host, port } = hop.target
  const client = new ssh2.Client()
  // Without a listener an error would end the process.
  client.on('error', () => undefined)
  const login = loginTo(hop, line.stream)
  await new Promise<void>((resolve, reject) => {
    const fail = (error: Error) => reject(login.meaningOf(error))
    client.once('ready', resolve).once('error', fail)
    client.once('close', () => fail(new Error('the server has closed the connection')))
    client.connect(login.config)
  })
  const channel = await forward(client, hop.target, next)
  let bytes = 0
  channel.on('data', (data: Buffer) => {
    bytes += data.length
  })
  client.on('error', (error) => {
    channel.emit('error', new Error(`the way through ${host}:${port} broke: ${error.message}`))
  })
  return { stream: channel, bytesRead: () => bytes, destroy: (error) => line.destroy(error) }
}

function forward(client: Client, via: Target, next: Target): Promise<ClientChannel> {
  const from = `${via.host}:${via.port}`
  const to = `${next.host}:${next.port}`
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new PortError('offline', `${from} has not reached ${to} within ${via.connectTimeoutMs / 1000} s`)),
      via.connectTimeoutMs,
    )
    const fail = (error: Error) => {
      clearTimeout(timer)
      reject(refusalOf(error, from, to))
    }
    client.once('close', () => fail(new Error('the connection was closed')))
    client.forwardOut('127.0.0.1', 0, next.host, next.port, (error, channel) => {
      if (error !== undefined) return fail(error)
      clearTimeout(timer)
      // The client above listens from the same turn on; this is for what comes after it has left.
      channel.on('error', () => undefined)
      resolve(channel)
    })
  })
}

function refusalOf(error: Error, from: string, to: string): PortError {
  const { reason } = error as { reason?: unknown }
  if (reason === prohibited) {
    return new PortError('forbidden', `The jump host ${from} does not forward to ${to}: ${error.message}`, {
      hint: 'Its sshd_config has to allow it to this user: AllowTcpForwarding local, and PermitOpen where that is set',
      cause: error,
    })
  }
  const code = reason === connectFailed ? 'offline' : 'transient'
  return new PortError(code, `The jump host ${from} cannot reach ${to}: ${error.message}`, { cause: error })
}
