import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startByScript } from './scripted-server.js'
import { freePort } from './servers.js'

export interface Swift {
  readonly endpoint: string
  /** Makes buckets, and owns them. */
  readonly owner: SwiftKeys
  /** Belongs to the same account, and may do nothing. */
  readonly guest: SwiftKeys
  stop(): Promise<void>
}

export interface SwiftKeys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/** Starts OpenStack Swift with its S3 API on loopback. It ends with this process at the latest. */
export async function startSwift(): Promise<Swift> {
  const folder = await mkdtemp(join(tmpdir(), 'bkp-swift-'))
  const proxy = await freePort()
  const behind = [await freePort(), await freePort(), await freePort()]
  const { stop } = await startByScript('openstack-swift.py', [folder, ...[proxy, ...behind].map(String)])
  return { endpoint: `http://127.0.0.1:${proxy}`, owner: keysOf('owner'), guest: keysOf('guest'), stop }
}

function keysOf(user: string): SwiftKeys {
  return { accessKeyId: `bkp:${user}`, secretAccessKey: `${user}-secret-key` }
}
