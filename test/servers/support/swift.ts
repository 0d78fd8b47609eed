import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { S3Keys, S3Server } from './s3-server.js'
import { startByScript } from './scripted-server.js'
import { freePort } from './servers.js'

/** Starts OpenStack Swift with its S3 API on loopback. It ends with this process at the latest. */
export async function startSwift(): Promise<S3Server> {
  const folder = await mkdtemp(join(tmpdir(), 'bkp-swift-'))
  const proxy = await freePort()
  const behind = [await freePort(), await freePort(), await freePort()]
  const { stop } = await startByScript('openstack-swift.py', [folder, ...[proxy, ...behind].map(String)])
  return { endpoint: `http://127.0.0.1:${proxy}`, owner: keysOf('owner'), guest: keysOf('guest'), stop }
}

function keysOf(user: string): S3Keys {
  return { accessKeyId: `bkp:${user}`, secretAccessKey: `${user}-secret-key` }
}
