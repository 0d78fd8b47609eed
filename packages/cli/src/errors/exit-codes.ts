/** Exit codes; partial is never success. */
export const exitCode = {
  success: 0,
  failure: 1,
  usage: 2,
  incomplete: 3,
  notEverywhere: 4,
  noRepository: 10,
  repositoryExists: 11,
  wrongPassphrase: 12,
  damaged: 13,
  interrupted: 130,
} as const

const byErrorCode: Readonly<Record<string, number>> = {
  'no-repository': exitCode.noRepository,
  'repository-exists': exitCode.repositoryExists,
  'wrong-passphrase': exitCode.wrongPassphrase,
  damaged: exitCode.damaged,
  corrupt: exitCode.damaged,
  usage: exitCode.usage,
  interrupted: exitCode.interrupted,
}

/** The exit code for a code of BkpError or PortError. */
export function exitCodeFor(code: string): number {
  return byErrorCode[code] ?? exitCode.failure
}
