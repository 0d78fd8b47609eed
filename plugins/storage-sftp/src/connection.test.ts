import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { connect } from './connection.js'
import { HostKeys } from './host-keys.js'
import type { Target } from './target.js'

const log = { debug: () => undefined, info: () => undefined, warn: () => undefined }
const identities = { ways: [{ kind: 'password', name: 'a password', method: () => false }], unusable: [] } as const
const hostKeys = { host: '127.0.0.1', port: 22, files: [], checking: 'strict' } as never

describe('a connection to a server that says nothing', () => {
  it('is given up at once when nobody waits for it any more', { timeout: 20_000 }, async () => {
    const server = createServer((socket) => socket.on('error', () => undefined)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const target = { host: '127.0.0.1', port, user: 'ann', connectTimeoutMs: 60_000, deadAfterMs: 60_000 } as Target
    const hop = { target, identities: identities as never, hostKeys: new HostKeys(hostKeys, log) }
    const controller = new AbortController()
    const closed = new Error('the storage was closed')
    const met = once(server, 'connection')
    const connecting = connect(hop, [], log, controller.signal)
    const rejected = expect(connecting).rejects.toBe(closed)
    const [socket] = await met
    const hungUp = once(socket, 'close')
    socket.resume()
    controller.abort(closed)
    await rejected
    await hungUp
    server.close()
    await once(server, 'close')
  })
})
