/**
 * Every way in which a port may fail. The set is closed: core decides from the code alone whether a
 * retry helps, what a run does next and which exit code follows.
 */
export const portErrorCodes = [
  'not-found',
  'already-exists',
  'range-invalid',
  'auth',
  'forbidden',
  'quota',
  'transient',
  'throttled',
  'offline',
  'unsupported',
  'config',
  'corrupt',
] as const

/** One of {@link portErrorCodes}. */
export type PortErrorCode = (typeof portErrorCodes)[number]

/** What goes with an error beside code and message. */
export interface PortErrorOptions {
  /** What the user can do about it, as one sentence or a command to type. */
  readonly hint?: string
  readonly cause?: unknown
  /** For `throttled` and `transient`: how long the far side asked us to wait, in milliseconds. */
  readonly retryAfterMs?: number
}

const brand = Symbol.for('bkp.PortError')

/**
 * The one error class of all ports. The message says what happened and to what; it must not hold
 * a secret. Compare with {@link isPortError}, never with `instanceof`: two copies of this package
 * may be loaded at once.
 */
export class PortError extends Error {
  override readonly name = 'PortError'
  readonly code: PortErrorCode
  readonly hint: string | undefined
  readonly retryAfterMs: number | undefined

  constructor(code: PortErrorCode, message: string, options: PortErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.hint = options.hint
    this.retryAfterMs = options.retryAfterMs
    Object.defineProperty(this, brand, { value: true })
  }
}

/** Whether `value` is a {@link PortError}, of this or of another installed copy of plugin-api. */
export function isPortError(value: unknown, code?: PortErrorCode): value is PortError {
  if (typeof value !== 'object' || value === null || !(brand in value)) return false
  return code === undefined || (value as unknown as PortError).code === code
}
