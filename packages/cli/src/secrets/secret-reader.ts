import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import type { Unlock } from '@bkp/core'
import { Secret } from '@bkp/plugin-api'
import { inject, injectable } from 'tsyringe'
import { AskSecret, CommandSignal, Terminal } from '../composition/tokens.js'
import { UsageError } from '../errors/cli-error.js'

export interface PassphraseFlags {
  readonly 'password-file'?: string | undefined
  readonly 'password-command'?: string | undefined
}

export interface UnlockFlags extends PassphraseFlags {
  readonly 'recovery-code'?: boolean | undefined
  readonly 'recovery-code-file'?: string | undefined
}

const mostSecretBytes = 64 * 1024

/**
 * Gets passphrases and recovery codes. Flags go before the environment, and the environment before a question. Values are
 * never on the command line, where every user of the machine can see them.
 */
@injectable()
export class SecretReader {
  readonly #terminal: Terminal
  readonly #ask: AskSecret
  readonly #signal: AbortSignal

  constructor(
    @inject(Terminal) terminal: Terminal,
    @inject(AskSecret) ask: AskSecret,
    @inject(CommandSignal) signal: AbortSignal,
  ) {
    this.#terminal = terminal
    this.#ask = ask
    this.#signal = signal
  }

  /** What opens a repository: the recovery code where it was asked for, else the passphrase. */
  async readUnlock(flags: UnlockFlags): Promise<Unlock> {
    const file = flags['recovery-code-file']
    const { password, code } = this.#takeFromEnvironment()
    if (file !== undefined) return asCode(await readSecretFile(file, 'recovery code file'))
    if (flags['recovery-code']) return asCode(code ?? (await this.#askFor('Recovery code:', recoveryWays)))
    const given = (await this.#readFlags(flags)) ?? password
    if (given !== undefined) return asPassphrase(given)
    if (code !== undefined) return asCode(code)
    return asPassphrase(await this.#askFor('Passphrase:', passphraseWays))
  }

  /** The passphrase of a repository that is about to be made; asked for twice. */
  async readNewPassphrase(flags: PassphraseFlags): Promise<Secret> {
    const { password } = this.#takeFromEnvironment()
    const given = (await this.#readFlags(flags)) ?? password
    if (given !== undefined) return notEmpty(given)
    const typed = notEmpty(await this.#askFor('New passphrase:', passphraseWays))
    if (typed.reveal() !== (await this.#askFor('The same again:', passphraseWays))) {
      throw new UsageError('The two passphrases differ, so nothing was made', 'Run the same command again')
    }
    return typed
  }

  // Taken out, so that neither --from-command nor any other child program inherits them.
  #takeFromEnvironment(): { readonly password: string | undefined; readonly code: string | undefined } {
    const { env } = this.#terminal
    const { BKP_PASSWORD: password, BKP_RECOVERY_CODE: code } = env
    delete env.BKP_PASSWORD
    delete env.BKP_RECOVERY_CODE
    return { password, code }
  }

  async #readFlags(flags: PassphraseFlags): Promise<string | undefined> {
    const file = flags['password-file']
    const command = flags['password-command']
    if (file !== undefined && command !== undefined) {
      throw new UsageError('--password-file and --password-command were both given', 'Give one of them')
    }
    if (file !== undefined) return readSecretFile(file, 'password file')
    return command === undefined ? undefined : this.#run(command)
  }

  /** Its messages tell the exit code alone: what a password program prints may hold the secret. */
  async #run(command: string): Promise<string> {
    // Standard input may be what is backed up; only a terminal is handed on, for a PIN to be typed.
    const input = this.#terminal.canAsk ? 'inherit' : 'ignore'
    const child = spawn('/bin/sh', ['-c', command], { stdio: [input, 'pipe', 'inherit'], signal: this.#signal })
    const pieces: Buffer[] = []
    child.stdout.on('data', (piece: Buffer) => pieces.push(piece))
    const [exitCode, signal] = (await once(child, 'close')) as [number | null, string | null]
    if (exitCode !== 0) {
      const how = exitCode === null ? `signal ${signal}` : `exit code ${exitCode}`
      throw new UsageError(`The password command failed with ${how}`, 'Run it by itself to see why')
    }
    return secretOf(Buffer.concat(pieces), 'output of the password command')
  }

  async #askFor(question: string, ways: string): Promise<string> {
    if (this.#terminal.canAsk) return this.#ask(question)
    throw new UsageError(`${question.replace(':', '')} wanted, and there is no terminal to ask on`, ways)
  }
}

const passphraseWays = 'Give it by BKP_PASSWORD, --password-file FILE or --password-command COMMAND'
const recoveryWays = 'Give it by BKP_RECOVERY_CODE or --recovery-code-file FILE'

async function readSecretFile(path: string, what: string): Promise<string> {
  const bytes = await readFile(path).catch((error: Error) => {
    throw new UsageError(`The ${what} cannot be read: ${error.message}`, 'Check its path and who may read it')
  })
  return secretOf(bytes, what)
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

function notEmpty(passphrase: string): Secret {
  if (passphrase === '') throw new UsageError('The passphrase must not be empty', passphraseWays)
  return new Secret(passphrase)
}

function asPassphrase(given: string): Unlock {
  return { kind: 'passphrase', passphrase: notEmpty(given) }
}

function asCode(given: string): Unlock {
  if (given.trim() === '') throw new UsageError('The recovery code must not be empty', recoveryWays)
  return { kind: 'recovery-code', code: new Secret(given.trim()) }
}
