import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { UsageError } from '../errors/cli-error.js'

const mostSecretBytes = 64 * 1024

/** @param what in messages, e.g. `password file` */
export async function readSecretFile(path: string, what: string): Promise<string> {
  const bytes = await readFile(path).catch((error: Error) => {
    throw new UsageError(`The ${what} cannot be read: ${error.message}`, 'Check its path and who may read it')
  })
  return secretOf(bytes, what)
}

export interface SecretProgram {
  readonly command: string
  /** In messages, e.g. `password command`. */
  readonly what: string
  /** Whether a terminal may be handed on, for a PIN to be typed. */
  readonly canAsk: boolean
  readonly signal: AbortSignal
}

/** What a program prints. Messages tell the exit code alone: what it prints may hold the secret. */
export async function runSecretProgram({ command, what, canAsk, signal }: SecretProgram): Promise<string> {
  // Standard input may be what is backed up; only a terminal is handed on.
  const input = canAsk ? 'inherit' : 'ignore'
  const child = spawn('/bin/sh', ['-c', command], { stdio: [input, 'pipe', 'inherit'], signal })
  const pieces: Buffer[] = []
  child.stdout.on('data', (piece: Buffer) => pieces.push(piece))
  const [exitCode, killedBy] = (await once(child, 'close')) as [number | null, string | null]
  if (exitCode !== 0) {
    const how = exitCode === null ? `signal ${killedBy}` : `exit code ${exitCode}`
    throw new UsageError(`The ${what} failed with ${how}`, 'Run it by itself to see why')
  }
  return secretOf(Buffer.concat(pieces), `output of the ${what}`)
}

/** One line of UTF-8. Anything else would be another secret on the next machine, or could not be typed. */
function secretOf(bytes: Uint8Array, what: string): string {
  const hint = 'It must hold the secret alone, as one line of UTF-8 text'
  if (bytes.length > mostSecretBytes) throw new UsageError(`The ${what} has ${bytes.length} bytes`, hint)
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new UsageError(`The ${what} is not UTF-8`, hint)
  }
  const line = text.replace(/[\r\n]+$/, '')
  if (/[\r\n]/.test(line)) throw new UsageError(`The ${what} has several lines`, hint)
  return line
}
