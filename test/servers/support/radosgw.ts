import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { S3Keys, S3Server } from './s3-server.js'
import { startByScript } from './scripted-server.js'
import { freePort } from './servers.js'

/** Starts Ceph's S3 gateway on loopback. It ends with this process at the latest. */
export async function startRadosgw(): Promise<S3Server> {
  const folder = await mkdtemp(join(tmpdir(), 'bkp-radosgw-'))
  const port = await freePort()
  const { stop } = await startByScript('radosgw.sh', [folder, String(port), String(await freePort())])
  return { endpoint: `http://127.0.0.1:${port}`, owner: keysOf('owner'), guest: keysOf('guest'), stop }
}

function keysOf(user: string): S3Keys {
  return { accessKeyId: `${user}-access-key`, secretAccessKey: `${user}-secret-key` }
}
