import type { Unlock } from '@bkp/core'
import { Secret } from '@bkp/plugin-api'
import { inject, injectable } from 'tsyringe'
import { AskSecret, CommandSignal, Terminal } from '../composition/tokens.js'
import { UsageError } from '../errors/cli-error.js'
import { readSecretFile, runSecretProgram } from './secret-sources.js'

export interface PassphraseFlags {
  readonly 'password-file'?: string | undefined
  readonly 'password-command'?: string | undefined
}

/** For the second repository of a command, the one that is written. */
export interface TargetPassphraseFlags {
  readonly 'to-password-file'?: string | undefined
  readonly 'to-password-command'?: string | undefined
}

export interface UnlockFlags extends PassphraseFlags {
  readonly 'recovery-code'?: boolean | undefined
  readonly 'recovery-code-file'?: string | undefined
}

interface EnvironmentSecrets {
  readonly password: string | undefined
  readonly code: string | undefined
  readonly toPassword: string | undefined
}

/**
 * Gets passphrases and recovery codes. Flags go before the environment, and the environment before a question. Values are
 * never on the command line, where every user of the machine can see them.
 */
@injectable()
export class SecretReader {
  readonly #terminal: Terminal
  readonly #ask: AskSecret
  readonly #signal: AbortSignal
  #fromEnvironment: EnvironmentSecrets | undefined

  constructor(
    @inject(Terminal) terminal: Terminal,
    @inject(AskSecret) ask: AskSecret,
    @inject(CommandSignal) signal: AbortSignal,
  ) {
    this.#terminal = terminal
    this.#ask = ask
    this.#signal = signal
  }

  /**
   * What opens a repository: the recovery code where it was asked for, else the passphrase.
   * @param fromConfig gives the passphrase where neither flags nor the environment do
   */
  async readUnlock(flags: UnlockFlags, fromConfig?: () => Promise<Secret>): Promise<Unlock> {
    const file = flags['recovery-code-file']
    const { password, code } = this.#takeFromEnvironment()
    if (file !== undefined) return asCode(await readSecretFile(file, 'recovery code file'))
    if (flags['recovery-code']) return asCode(code ?? (await this.#askFor('Recovery code:', recoveryWays)))
    const given = (await this.#readFlags(flags)) ?? password
    if (given !== undefined) return asPassphrase(given)
    if (code !== undefined) return asCode(code)
    if (fromConfig !== undefined) return { kind: 'passphrase', passphrase: await fromConfig() }
    return asPassphrase(await this.#askFor('Passphrase:', passphraseWays))
  }

  /**
   * What opens the second repository of a command.
   * @param fromConfig gives the passphrase where neither flags nor the environment do
   */
  async readTargetUnlock(flags: TargetPassphraseFlags, fromConfig?: () => Promise<Secret>): Promise<Unlock> {
    const { toPassword } = this.#takeFromEnvironment()
    const given = await this.#readFlags(
      { 'password-file': flags['to-password-file'], 'password-command': flags['to-password-command'] },
      'to-password',
    )
    const known = given ?? toPassword
    if (known !== undefined) return asPassphrase(known)
    if (fromConfig !== undefined) return { kind: 'passphrase', passphrase: await fromConfig() }
    return asPassphrase(await this.#askFor('Passphrase of the target:', targetWays))
  }

  /** The passphrase of a repository that is about to be made; asked for twice. */
  async readNewPassphrase(flags: PassphraseFlags, fromConfig?: () => Promise<Secret>): Promise<Secret> {
    const { password } = this.#takeFromEnvironment()
    const given = (await this.#readFlags(flags)) ?? password
    if (given !== undefined) return notEmpty(given)
    if (fromConfig !== undefined) return fromConfig()
    const typed = notEmpty(await this.#askFor('New passphrase:', passphraseWays))
    if (typed.reveal() !== (await this.#askFor('The same again:', passphraseWays))) {
      throw new UsageError('The two passphrases differ, so nothing was made', 'Run the same command again')
    }
    return typed
  }

  /** The passphrase of an exported configuration: of the flags, BKP_EXPORT_PASSWORD, or asked for; a new one twice. */
  async readExportPassphrase(flags: PassphraseFlags, use: 'new' | 'known'): Promise<Secret> {
    const { env } = this.#terminal
    const { BKP_EXPORT_PASSWORD: password } = env
    delete env.BKP_EXPORT_PASSWORD
    const given = (await this.#readFlags(flags)) ?? password
    if (given !== undefined) return notEmpty(given)
    const typed = notEmpty(await this.#askFor('Passphrase of the export:', exportWays))
    if (use === 'new' && typed.reveal() !== (await this.#askFor('The same again:', exportWays))) {
      throw new UsageError('The two passphrases differ, so nothing was exported', 'Run the same command again')
    }
    return typed
  }

  // Taken out, all at once, so that neither --from-command nor any other child program inherits them.
  #takeFromEnvironment(): EnvironmentSecrets {
    const { env } = this.#terminal
    this.#fromEnvironment ??= {
      password: env.BKP_PASSWORD,
      code: env.BKP_RECOVERY_CODE,
      toPassword: env.BKP_TO_PASSWORD,
    }
    delete env.BKP_PASSWORD
    delete env.BKP_RECOVERY_CODE
    delete env.BKP_TO_PASSWORD
    return this.#fromEnvironment
  }

  /** @param name what the flags begin with */
  async #readFlags(flags: PassphraseFlags, name = 'password'): Promise<string | undefined> {
    const file = flags['password-file']
    const command = flags['password-command']
    if (file !== undefined && command !== undefined) {
      throw new UsageError(`--${name}-file and --${name}-command were both given`, 'Give one of them')
    }
    if (file !== undefined) return readSecretFile(file, 'password file')
    if (command === undefined) return undefined
    return runSecretProgram({ command, what: 'password command', canAsk: this.#terminal.canAsk, signal: this.#signal })
  }

  async #askFor(question: string, ways: string): Promise<string> {
    if (this.#terminal.canAsk) return this.#ask(question)
    throw new UsageError(`${question.replace(':', '')} wanted, and there is no terminal to ask on`, ways)
  }
}

const passphraseWays = 'Give it by BKP_PASSWORD, --password-file FILE or --password-command COMMAND'
const exportWays = 'Give it by BKP_EXPORT_PASSWORD, --password-file FILE or --password-command COMMAND'
const targetWays = 'Give it by BKP_TO_PASSWORD, --to-password-file FILE or --to-password-command COMMAND'
const recoveryWays = 'Give it by BKP_RECOVERY_CODE or --recovery-code-file FILE'

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
