/** Exit codes; partial is never success. */
export const exitCode = {
  success: 0,
  failure: 1,
  usage: 2,
  incomplete: 3,
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

/** The exit code for an error of core (BkpError) or of a port (PortError). */
export function exitCodeOf(error: unknown): number {
  const { code, oclif } = error as { code?: unknown; oclif?: { exit?: number } }
  if (typeof code === 'string' && byErrorCode[code] !== undefined) return byErrorCode[code]
  return oclif?.exit ?? exitCode.failure
}
