import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import type { Unlock } from '@bkp/core'
import { Secret } from '@bkp/plugin-api'
import { Errors } from '@oclif/core'

export interface SecretFlags {
  readonly 'password-file'?: string | undefined
  readonly 'password-command'?: string | undefined
  readonly 'recovery-code'?: boolean | undefined
}

/** What opens a repository: the recovery code when it was asked for, else the passphrase. */
export async function readUnlock(flags: SecretFlags): Promise<Unlock> {
  if (flags['recovery-code']) {
    const given = process.env.BKP_RECOVERY_CODE ?? (await prompt('Recovery code:', 'BKP_RECOVERY_CODE'))
    return { kind: 'recovery-code', code: new Secret(given) }
  }
  return { kind: 'passphrase', passphrase: await readPassphrase(flags) }
}

/** The passphrase from environment, file, command or terminal; asked twice when it is new. */
export async function readPassphrase(flags: SecretFlags, isNew = false): Promise<Secret> {
  const given = await readGiven(flags)
  if (given !== undefined) return refuseEmpty(given)
  const typed = await prompt('Passphrase:', 'BKP_PASSWORD, --password-file or --password-command')
  if (isNew && typed !== (await prompt('The same again:', 'BKP_PASSWORD'))) {
    throw new Errors.CLIError('The two passphrases differ; nothing was made', { exit: 2 })
  }
  return refuseEmpty(typed)
}

async function readGiven(flags: SecretFlags): Promise<string | undefined> {
  const file = flags['password-file']
  const command = flags['password-command']
  if (file !== undefined && command !== undefined) {
    throw new Errors.CLIError('Give --password-file or --password-command, not both', { exit: 2 })
  }
  if (file !== undefined) {
    const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      throw new Errors.CLIError(`The password file cannot be read: ${error.message}`, { exit: 2 })
    })
    return firstLine(text)
  }
  if (command !== undefined) {
    // Only the exit code is told: what a password program prints may hold the secret.
    const { stdout } = await promisify(execFile)('/bin/sh', ['-c', command]).catch((error: { code?: unknown }) => {
      throw new Errors.CLIError(`The password command failed with exit code ${String(error.code)}`, { exit: 2 })
    })
    return firstLine(stdout)
  }
  return process.env.BKP_PASSWORD
}

function firstLine(text: string): string {
  return text.replace(/\r?\n[\s\S]*$/, '')
}

function refuseEmpty(passphrase: string): Secret {
  if (passphrase === '') throw new Errors.CLIError('The passphrase must not be empty', { exit: 2 })
  return new Secret(passphrase)
}

async function prompt(message: string, ways: string): Promise<string> {
  if (process.stdin.isTTY !== true) {
    throw new Errors.CLIError(`There is no terminal to ask on; give the secret by ${ways}`, { exit: 2 })
  }
  const { password } = await import('@inquirer/prompts')
  return password({ message, mask: true }, { output: process.stderr })
}
