import { isPortError, PortError, type PortErrorCode } from '@bkp/plugin-api'

/** What a share or a disk says that was mounted and is not there any more. */
const gone = {
  code: 'offline',
  hint: 'The disk or share is gone: connect and mount it again, then run the same command again',
} as const

const known: Readonly<Record<string, { readonly code: PortErrorCode; readonly hint?: string }>> = {
  ENOENT: { code: 'not-found' },
  ENOTDIR: { code: 'not-found' },
  EEXIST: { code: 'already-exists' },
  ENOSPC: {
    code: 'quota',
    hint: 'Free space on the disk of the repository, then run the same command again; nothing is damaged',
  },
  EDQUOT: { code: 'quota', hint: 'Raise the quota or free space, then run the same command again; nothing is damaged' },
  EFBIG: { code: 'quota', hint: 'The file system does not take files of this size' },
  EACCES: { code: 'forbidden', hint: 'Check owner and permissions of the repository folder' },
  EPERM: { code: 'forbidden', hint: 'Check owner and permissions of the repository folder' },
  EROFS: { code: 'forbidden', hint: 'The disk is mounted read-only: mount it writable' },
  EIO: {
    code: 'transient',
    hint: 'The disk reports an input/output error: check the cable and its health (smartctl -a), and dmesg',
  },
  EXDEV: {
    code: 'unsupported',
    hint: 'A repository lies on one file system: mount the disk at the folder of the repository or above it, not inside',
  },
  ENOTCONN: gone,
  ESTALE: gone,
  ENODEV: gone,
  EHOSTDOWN: gone,
  ETIMEDOUT: gone,
  EMFILE: { code: 'transient' },
  ENFILE: { code: 'transient' },
  EBUSY: { code: 'transient' },
}

/** A system error as the port knows it. */
export function toPortError(error: unknown, what: string): PortError {
  const systemCode = (error as NodeJS.ErrnoException | null)?.code ?? ''
  const { code, hint } = known[systemCode] ?? { code: 'transient' as const }
  const reason = error instanceof Error ? error.message : String(error)
  return new PortError(code, `${what}: ${reason}`, hint === undefined ? { cause: error } : { cause: error, hint })
}

/**
 * Lets no system error out. What a signal stopped rejects with the signal's reason, since node's own calls reject with
 * an error of theirs.
 */
export async function wrap<T>(what: string, action: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  try {
    return await action()
  } catch (error) {
    if (signal?.aborted && (error as Error).name === 'AbortError') throw signal.reason
    throw isPortError(error) ? error : toPortError(error, what)
  }
}

/** The disk has tried for long itself: sectors that it gives up on are damage of what lies there. */
export async function wrapReading<T>(what: string, action: () => Promise<T>): Promise<T> {
  try {
    return await wrap(what, action)
  } catch (error) {
    if (!isPortError(error) || (error.cause as NodeJS.ErrnoException | undefined)?.code !== 'EIO') throw error
    throw new PortError('corrupt', error.message, {
      cause: error.cause,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    })
  }
}
