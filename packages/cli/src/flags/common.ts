import { resolve } from 'node:path'
import { Errors, Flags } from '@oclif/core'

/** Flags of every command that opens a repository. */
export const secretFlags = {
  'password-file': Flags.string({
    description: 'read the passphrase from the first line of a file',
    helpGroup: 'SECRETS',
  }),
  'password-command': Flags.string({ description: 'run a program that prints the passphrase', helpGroup: 'SECRETS' }),
  'recovery-code': Flags.boolean({
    description: 'open with the recovery code (asked for, or from BKP_RECOVERY_CODE)',
    helpGroup: 'SECRETS',
  }),
}

export const fromFlag = {
  from: Flags.string({
    description: 'where the repository is: a folder or a URL',
    env: 'BKP_REPOSITORY',
    required: true,
    helpValue: 'URL',
  }),
}

export const toFlag = {
  to: Flags.string({
    description: 'where the repository is: a folder or a URL',
    env: 'BKP_REPOSITORY',
    required: true,
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'URL',
  }),
}

/** Makes a plain path absolute; URLs stay as they are. */
export function repositoryUrl(given: string): string {
  return /^[A-Za-z][A-Za-z0-9+.-]+:/.test(given) ? given : resolve(given)
}

/** The one destination of this version. */
export function singleDestination(given: readonly string[]): string {
  const [first, second] = given
  if (first === undefined || second !== undefined) {
    throw new Errors.CLIError('Several destinations in one run are not supported yet; give --to once', { exit: 2 })
  }
  return repositoryUrl(first)
}

const units: Readonly<Record<string, number>> = { '': 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4 }

/** `100M` as bytes; K, M, G and T are powers of 1024. */
export function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([KMGT]?)(?:i?B)?$/i.exec(text)
  if (match === null)
    throw new Errors.CLIError(`"${text}" is not a size; write for example 500K, 100M or 2G`, { exit: 2 })
  return Math.floor(Number(match[1]) * (units[(match[2] as string).toUpperCase()] as number))
}

/** `SNAP[:PATH]` in its parts. */
export function parseSnapshotPath(text: string): { readonly snapshot: string; readonly path: Uint8Array | undefined } {
  const colon = text.indexOf(':')
  if (colon < 0) return { snapshot: text, path: undefined }
  return { snapshot: text.slice(0, colon), path: Buffer.from(text.slice(colon + 1)) }
}
