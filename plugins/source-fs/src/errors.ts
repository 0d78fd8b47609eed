import { PortError, type PortErrorCode } from '@bkp/plugin-api'

const codes: Readonly<Record<string, PortErrorCode>> = {
  ENOENT: 'not-found',
  ENOTDIR: 'not-found',
  ESTALE: 'not-found',
  EACCES: 'forbidden',
  EPERM: 'forbidden',
  EROFS: 'forbidden',
  EEXIST: 'already-exists',
  EISDIR: 'already-exists',
  ENOTEMPTY: 'already-exists',
  ENOSPC: 'quota',
  EDQUOT: 'quota',
  // Of this file alone: room for others is there.
  EFBIG: 'unsupported',
  ELOOP: 'forbidden',
}

const hints: Readonly<Record<string, string>> = {
  ENOSPC: 'Free space on the target disk, then run the same command again',
  EDQUOT: 'Raise the quota or free space, then run the same command again',
  EROFS: 'The target is mounted read-only: mount it writable',
}

/** A system error as the port knows it; the path in Node's message may name a descriptor, so only the reason is kept. */
export function toPortError(error: unknown, what: string): PortError {
  if (error instanceof PortError) return error
  const code = (error as NodeJS.ErrnoException | null)?.code ?? ''
  const message = error instanceof Error ? (error.message.split(', ')[0] ?? error.message) : String(error)
  const hint = hints[code]
  return new PortError(
    codes[code] ?? 'transient',
    `${what}: ${message}`,
    hint === undefined ? { cause: error } : { cause: error, hint },
  )
}

/** Runs `action` and gives its system errors as port errors about `what`, a text or a path below the root. */
export function guard<T>(what: string | readonly Uint8Array[], action: () => T): T {
  try {
    return action()
  } catch (error) {
    throw toPortError(error, typeof what === 'string' ? what : textOf(what))
  }
}

function textOf(path: readonly Uint8Array[]): string {
  return path.map((name) => Buffer.from(name).toString()).join('/') || '.'
}
