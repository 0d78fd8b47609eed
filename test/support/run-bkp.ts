import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll } from 'vitest'

export interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

const executable = fileURLToPath(new URL('../../packages/cli/bin/run.js', import.meta.url))
// Not the cache of whoever runs the tests.
const cache = mkdtempSync(join(tmpdir(), 'bkp-test-cache-'))
// A runner's process may end without saying so.
afterAll(() => rmSync(cache, { recursive: true, force: true }))
export const passphrase = 'correct horse battery staple'

/** Nothing of the user who runs the tests: no configuration, no repository. */
const ours = {
  BKP_PASSWORD: passphrase,
  BKP_REPOSITORY: '',
  BKP_CONFIG: '',
  XDG_CONFIG_HOME: '/nonexistent',
  XDG_STATE_HOME: cache,
  BKP_CACHE_DIR: cache,
  BKP_DATA_DIR: '',
  XDG_DATA_HOME: '/nonexistent',
  NO_COLOR: '1',
}

export interface RunOptions {
  /** Undefined takes a variable out. */
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly input?: string
  readonly onStart?: (child: ChildProcess) => void
  /** A command that runs bkp, e.g. `setpriv …`, with its arguments. */
  readonly through?: readonly string[]
}

/** Runs the real command line as a process of its own. */
export function bkp(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const [program, ...before] = [...(options.through ?? []), process.execPath, executable]
    const child = spawn(program as string, [...before, ...args], {
      env: { ...process.env, ...ours, ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text
    })
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stdout, stderr }))
    // A process that is killed closes its input early: that is what some tests want.
    child.stdin.on('error', () => undefined)
    child.stdin.end(options.input ?? '')
    options.onStart?.(child)
  })
}

/** Runs a command that must succeed and gives its JSON document. */
export async function bkpJson(args: readonly string[], options: RunOptions = {}): Promise<Record<string, never>> {
  const { code, stdout, stderr } = await bkp([...args, '--json'], options)
  if (code !== 0) throw new Error(`bkp ${args.join(' ')} ended with ${code}: ${stdout}${stderr}`)
  return JSON.parse(stdout) as Record<string, never>
}
