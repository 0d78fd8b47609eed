import { isPortError, PortError, type PortErrorCode } from '@bkp/plugin-api'
import { type Session, statusOf } from './session.js'

/** Numbers of statuses: 0 to 8 of version 3 of the protocol, the others of versions 5 and 6, which some servers send. */
export const status = {
  endOfFile: 1,
  noSuchFile: 2,
  permissionDenied: 3,
  failure: 4,
  badMessage: 5,
  noConnection: 6,
  connectionLost: 7,
  unsupported: 8,
  noSuchPath: 10,
  alreadyExists: 11,
  writeProtected: 12,
  noMedia: 13,
  noSpace: 14,
  quotaExceeded: 15,
} as const

interface Meaning {
  readonly code: PortErrorCode
  readonly hint?: string
  /** What was found out, where the server says no more than "Failure". */
  readonly found?: string
}

const readOnly: Meaning = {
  code: 'forbidden',
  hint: 'The file system on the server is mounted read-only: mount it writable',
}
const full: Meaning = {
  code: 'quota',
  hint: 'Free space on the server, then run the same command again; nothing is damaged',
}

const meanings: Readonly<Record<number, Meaning>> = {
  [status.noSuchFile]: { code: 'not-found' },
  [status.permissionDenied]: {
    code: 'forbidden',
    hint: 'Check owner and permissions of the folder on the server, and what its sshd_config denies to this user',
  },
  [status.badMessage]: { code: 'unsupported', hint: 'The file system on the server does not take such a name or call' },
  [status.unsupported]: { code: 'unsupported' },
  [status.noSuchPath]: { code: 'not-found' },
  [status.alreadyExists]: { code: 'already-exists' },
  [status.writeProtected]: readOnly,
  [status.noMedia]: { code: 'not-found', hint: 'The disk is not in the server' },
  [status.noSpace]: full,
  [status.quotaExceeded]: { ...full, hint: 'Raise the quota on the server or free space; nothing is damaged' },
}

/** Whether the server said that nothing is there, or that a file lies where a folder would have to be. */
export function isMissing(error: unknown): boolean {
  const number = statusOf(error)
  return number === status.noSuchFile || number === status.noSuchPath
}

/** Whether the server has answered, and refused. Otherwise nobody knows what it did. */
export function isRefusal(error: unknown): boolean {
  return statusOf(error) !== undefined
}

/** For what is tidied up: who may not, leaves it. */
export function ignoreRefusal(error: unknown): void {
  if (!isRefusal(error)) throw error
}

/** A status as the port knows it. */
export function toPortError(error: unknown, what: string, meaning?: Meaning): PortError {
  if (isPortError(error)) return error
  const number = statusOf(error)
  const { code, hint } = meaning ?? (number === undefined ? undefined : meanings[number]) ?? { code: 'transient' }
  const said = meaning?.found ?? (error instanceof Error ? error.message : String(error))
  return new PortError(code, `${what}: ${said}`, { cause: error, ...(hint === undefined ? {} : { hint }) })
}

/**
 * As {@link toPortError}, of something that writes. OpenSSH says no more than "Failure" to a full disk, so the file
 * system is asked.
 * @param wantedBytes how many bytes there should have been room for
 */
export async function toWriteError(
  error: unknown,
  what: string,
  session: Session,
  folder: string,
  wantedBytes: number,
): Promise<PortError> {
  if (statusOf(error) !== status.failure) return toPortError(error, what)
  return toPortError(error, what, await meaningOfFailure(session, folder, wantedBytes))
}

async function meaningOfFailure(session: Session, folder: string, wantedBytes: number): Promise<Meaning> {
  const vague: Meaning = {
    code: 'transient',
    hint: 'The server says no more than that. A quota, or a disk that fails? Look into its log',
  }
  if (!session.abilities.freeSpace) return vague
  try {
    const { freeBytes, freeFiles, isReadOnly } = await session.space(folder)
    if (isReadOnly) return { ...readOnly, found: 'the file system on the server is read-only' }
    return freeBytes <= wantedBytes || freeFiles === 0 ? { ...full, found: 'the disk of the server is full' } : vague
  } catch {
    // The first error is the one to report.
    return vague
  }
}

/** Lets nothing but errors of the port out. */
export async function wrap<T>(what: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action()
  } catch (error) {
    throw statusOf(error) === undefined ? error : toPortError(error, what)
  }
}
