/** Every way in which a run of the engine may fail. The CLI maps each to an exit code. */
export const bkpErrorCodes = [
  'no-repository',
  'repository-exists',
  'wrong-passphrase',
  'damaged',
  'unsupported',
  'usage',
  'source-unreadable',
  'storage',
  'interrupted',
  'missing-plugin',
  'plugin-failed',
  'plugin-refused',
  'not-found',
  'disk-full',
  'internal',
] as const

export type BkpErrorCode = (typeof bkpErrorCodes)[number]

export interface BkpErrorOptions {
  /** What the user can do about it, as one sentence or a command to type. */
  readonly hint?: string
  readonly cause?: unknown
}

const brand = Symbol.for('bkp.BkpError')

/** What happened, to what, and what to do. A message never holds a secret. */
export class BkpError extends Error {
  override readonly name = 'BkpError'
  readonly code: BkpErrorCode
  readonly hint: string | undefined

  constructor(code: BkpErrorCode, message: string, options: BkpErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.hint = options.hint
    Object.defineProperty(this, brand, { value: true })
  }
}

/** Whether `value` is a {@link BkpError}, of this or of another loaded copy of core. */
export function isBkpError(value: unknown, code?: BkpErrorCode): value is BkpError {
  if (typeof value !== 'object' || value === null || !(brand in value)) return false
  return code === undefined || (value as unknown as BkpError).code === code
}

/** Stored bytes that are not what they must be. */
export function damaged(message: string, cause?: unknown): BkpError {
  return new BkpError('damaged', message, cause === undefined ? {} : { cause })
}
