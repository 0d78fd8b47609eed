import { PortError, type PortErrorCode } from '@bkp/plugin-api'

const codes: Readonly<Record<string, PortErrorCode>> = {
  ENOENT: 'not-found',
  ENOTDIR: 'not-found',
  EISDIR: 'not-found',
  EEXIST: 'already-exists',
  EACCES: 'forbidden',
  EPERM: 'forbidden',
  EROFS: 'forbidden',
  ENOSPC: 'quota',
  EDQUOT: 'quota',
}

export function codeOf(cause: unknown): string | undefined {
  return (cause as NodeJS.ErrnoException).code
}

export function isGone(cause: unknown): boolean {
  return codes[codeOf(cause) ?? ''] === 'not-found'
}

/** Every rejection of a storage is a PortError: core goes by its code. */
export function failed(what: string, cause: unknown): never {
  throw new PortError(codes[codeOf(cause) ?? ''] ?? 'transient', `${what}: ${(cause as Error).message}`, { cause })
}
