import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startByScript } from './scripted-server.js'
import { freePort } from './servers.js'

export interface Radosgw {
  readonly endpoint: string
  /** Makes buckets, and owns them. */
  readonly owner: RadosgwKeys
  /** May do what the policy of a bucket allows, else nothing. */
  readonly guest: RadosgwKeys
  stop(): Promise<void>
}

export interface RadosgwKeys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/** Starts Ceph's S3 gateway on loopback. It ends with this process at the latest. */
export async function startRadosgw(): Promise<Radosgw> {
  const folder = await mkdtemp(join(tmpdir(), 'bkp-radosgw-'))
  const port = await freePort()
  const { stop } = await startByScript('radosgw.sh', [folder, String(port), String(await freePort())])
  return { endpoint: `http://127.0.0.1:${port}`, owner: keysOf('owner'), guest: keysOf('guest'), stop }
}

function keysOf(user: string): RadosgwKeys {
  return { accessKeyId: `${user}-access-key`, secretAccessKey: `${user}-secret-key` }
}
