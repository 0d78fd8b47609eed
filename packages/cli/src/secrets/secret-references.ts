import type { SecretReference } from '@bkp/core/config'
import { Secret } from '@bkp/plugin-api'
import { inject, injectable } from 'tsyringe'
import { CommandSignal, Machine, Terminal } from '../composition/tokens.js'
import { pathInConfig } from '../config/config-path.js'
import { UsageError } from '../errors/cli-error.js'
import { readSecretFile, runSecretProgram } from './secret-sources.js'

/** Fetches the secrets that a configuration refers to. */
@injectable()
export class SecretReferences {
  readonly #terminal: Terminal
  readonly #signal: AbortSignal
  readonly #machine: Machine
  /** By file and reference: a program that asks for something is run once, however often a command looks. */
  readonly #fetched = new Map<string, Promise<string>>()

  constructor(
    @inject(Terminal) terminal: Terminal,
    @inject(CommandSignal) signal: AbortSignal,
    @inject(Machine) machine: Machine,
  ) {
    this.#terminal = terminal
    this.#signal = signal
    this.#machine = machine
  }

  /**
   * @param what whose secret it is, in messages
   * @param configFile to whose folder relative paths belong
   * @throws UsageError naming the reference, never what it gave
   */
  async fetch(text: string, what: string, configFile: string): Promise<Secret> {
    const { parseSecretReference } = await import('@bkp/core/config')
    const reference = parseSecretReference(text)
    if (typeof reference === 'string') throw new UsageError(`${what}: ${reference}`, 'Correct it: bkp config edit')
    const name = `${configFile}\0${text}`
    const fetching = this.#fetched.get(name) ?? this.#valueOf(reference, what, configFile)
    this.#fetched.set(name, fetching)
    const value = await fetching
    if (value === '') throw new UsageError(`${what} is empty`, `It comes from ${placeOf(reference)}`)
    return new Secret(value)
  }

  async #valueOf(reference: SecretReference, what: string, configFile: string): Promise<string> {
    switch (reference.kind) {
      case 'literal':
        return reference.value
      case 'env': {
        const value = this.#terminal.env[reference.name]
        if (value !== undefined) return value
        throw new UsageError(
          `${what} comes from the environment variable ${reference.name}, which is not set`,
          `Set it, or change the reference: bkp config edit`,
        )
      }
      case 'file':
        return readSecretFile(pathInConfig(reference.path, configFile, this.#machine.home), `file of ${what}`)
      case 'command':
        return runSecretProgram({
          command: reference.command,
          what: `program that gives ${what}`,
          canAsk: this.#terminal.canAsk,
          signal: this.#signal,
        })
      case 'keychain':
        return fromKeychain(reference.service, reference.account, what)
    }
  }
}

async function fromKeychain(service: string, account: string, what: string): Promise<string> {
  const hint = 'Use env:, file: or command: instead'
  let keyring: typeof import('@napi-rs/keyring')
  try {
    keyring = await import('@napi-rs/keyring')
  } catch {
    throw new UsageError(`${what} is in the keychain, and @napi-rs/keyring, which reads it, is not installed`, hint)
  }
  let value: string | null
  try {
    value = new keyring.Entry(service, account).getPassword()
  } catch (error) {
    throw new UsageError(`${what}: the keychain cannot be opened: ${(error as Error).message}`, hint)
  }
  if (value !== null) return value
  throw new UsageError(
    `${what}: the keychain has nothing for ${service}/${account}`,
    'Enter it there, or change the reference',
  )
}

function placeOf(reference: SecretReference): string {
  switch (reference.kind) {
    case 'env':
      return `the environment variable ${reference.name}`
    case 'file':
      return `the file ${reference.path}`
    case 'command':
      return 'a program'
    case 'keychain':
      return `the keychain, ${reference.service}/${reference.account}`
    case 'literal':
      return 'the configuration itself'
  }
}
