import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'

/** Servers; openssl, which makes certificates for those that speak TLS; and rclone, which an example drives. */
export type ServerName = 'openssh' | 'apache' | 'nginx' | 'ceph' | 'swift' | 'rclone' | 'openssl'

interface Need {
  /** Names or absolute paths. */
  readonly programs: readonly string[]
  /** Debian's, which bring them. */
  readonly packages: readonly string[]
}

const needs = JSON.parse(readFileSync(new URL('../needs.json', import.meta.url), 'utf8')) as Record<ServerName, Need>

/**
 * Whether a server can be started here. `npm run test:servers` has said which cannot; with BKP_TEST_ALL=1, as in CI, one
 * that is missing is an error.
 */
export function hasServer(name: ServerName): boolean {
  const missing = needs[name].programs.filter((program) => !isThere(program))
  if (missing.length > 0 && process.env.BKP_TEST_ALL === '1')
    throw new Error(`All tests were asked for (BKP_TEST_ALL=1), and ${missing.join(', ')} is missing`)
  return missing.length === 0
}

function isThere(program: string): boolean {
  return spawnSync('sh', ['-c', 'command -v "$1"', 'sh', program]).status === 0
}

/** A TCP port on loopback that nobody listens on now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}
