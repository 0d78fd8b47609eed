import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from './servers.js'

const script = fileURLToPath(new URL('./radosgw.sh', import.meta.url))

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
  const child = spawn(script, [folder, String(port), String(await freePort())], { stdio: ['pipe', 'pipe', 'pipe'] })
  const ended = once(child, 'close')
  let said = ''
  const ready = new Promise<void>((resolve) => {
    child.stdout.on('data', (text) => {
      said += text
      if (said.includes('ready')) resolve()
    })
  })
  child.stderr.on('data', (text) => {
    said += text
  })
  const stop = async () => {
    child.stdin.end()
    await ended
  }
  await Promise.race([
    ready,
    ended.then(([code]) => {
      throw new Error(`radosgw did not start (exit code ${code}): ${said}`)
    }),
  ])
  return { endpoint: `http://127.0.0.1:${port}`, owner: keysOf('owner'), guest: keysOf('guest'), stop }
}

function keysOf(user: string): RadosgwKeys {
  return { accessKeyId: `${user}-access-key`, secretAccessKey: `${user}-secret-key` }
}
