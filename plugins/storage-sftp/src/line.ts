import { connect as connectSocket } from 'node:net'
import type { Duplex } from 'node:stream'
import { isPortError, PortError, portErrorOfConnection } from '@bkp/plugin-api'
import type { Target } from './target.js'

/** What SSH is spoken over: a socket, or a channel through other servers. */
export interface Line {
  readonly stream: Duplex
  bytesRead(): number
  /** Ends it at once, with all that it goes through. */
  destroy(error?: Error): void
}

/** Connects by TCP. @throws PortError `offline`, `transient`, and the reason of the signal */
export function openSocket({ host, port, connectTimeoutMs }: Target, signal: AbortSignal | undefined): Promise<Line> {
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
      resolve({ stream: socket, bytesRead: () => socket.bytesRead, destroy: (error) => void socket.destroy(error) })
    })
  })
}
