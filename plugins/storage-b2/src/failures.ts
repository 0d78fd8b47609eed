import {
  isPortError,
  PortError,
  type PortErrorOptions,
  portErrorOfConnection,
  portErrorOfStatus,
} from '@bkp/plugin-api'

/** An answer of B2 that says no: `{status, code, message}` in its body; code and message are empty when that was something else. */
export class B2Failure extends Error {
  override readonly name = 'B2Failure'

  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly retryAfterMs: number | undefined,
  ) {
    super(message)
  }
}

/** No whole answer came. The cause holds codes and messages alone: errors of a client may hold the headers of its request. */
export class ConnectionFailure extends Error {
  override readonly name = 'ConnectionFailure'

  constructor(error: unknown) {
    super(error instanceof Error ? error.message : 'the connection failed', { cause: stripped(error) })
  }
}

function stripped(error: unknown, depth = 0): unknown {
  if (typeof error !== 'object' || error === null || depth > 4) return undefined
  const { message, code, cause, errors } = error as Record<string, unknown>
  const copy = new Error(typeof message === 'string' ? message : 'the connection failed')
  if (typeof code === 'string') Object.assign(copy, { code })
  if (cause !== undefined) Object.assign(copy, { cause: stripped(cause, depth + 1) })
  if (Array.isArray(errors)) Object.assign(copy, { errors: errors.map((one) => stripped(one, depth + 1)) })
  return copy
}

/** Whether a token is no longer taken. */
export function isTokenRefused(error: unknown): boolean {
  if (!(error instanceof B2Failure) || error.status !== 401) return false
  return ['expired_auth_token', 'bad_auth_token'].includes(error.code)
}

/** Lets nothing but port errors out, and the signal's reason where the signal stopped the call. */
export async function wrap<T>(what: string, signal: AbortSignal | undefined, action: () => Promise<T>): Promise<T> {
  signal?.throwIfAborted()
  try {
    return await action()
  } catch (error) {
    if (signal?.aborted) throw signal.reason
    throw toPortError(error, what)
  }
}

export function toPortError(error: unknown, what: string): PortError {
  if (isPortError(error)) return error
  if (error instanceof ConnectionFailure) return portErrorOfConnection(error.cause, what)
  if (error instanceof B2Failure) return portErrorOfFailure(error, what)
  return new PortError('transient', `${what}: ${error instanceof Error ? error.message : String(error)}`, {
    cause: error,
  })
}

function portErrorOfFailure(failure: B2Failure, what: string): PortError {
  const { status, code, retryAfterMs } = failure
  const told = `${what}: B2 says ${failure.message || 'no'} (${[status, code].join(' ').trim()})`
  const say = (portCode: PortError['code'], hint?: string) =>
    new PortError(portCode, told, optionsOf(hint, retryAfterMs))
  switch (code) {
    case 'cap_exceeded':
    case 'storage_cap_exceeded':
    case 'download_cap_exceeded':
    case 'transaction_cap_exceeded':
      return say(
        'quota',
        'A cap of the account is reached: raise it on the B2 page "Caps & Alerts", or wait for tomorrow',
      )
    case 'bad_auth_token':
    case 'expired_auth_token':
      return say('auth', 'Check the application key: it may have been deleted, or have expired')
    case 'unauthorized':
      return say('forbidden', 'Check the capabilities, the bucket and the name prefix of the application key')
    case 'access_denied':
      return say('forbidden', 'The file may be locked until a date (Object Lock), or the account be suspended')
    case 'no_such_file':
    case 'file_not_present':
    case 'bad_bucket_id':
      return say('not-found')
    case 'email_not_verified':
    case 'no_payment_history':
      return say('forbidden', 'Sign in at backblaze.com: the account itself needs attention')
  }
  // What arrived is not what was sent: the network garbled it.
  if (status === 400 && /sha-?1/i.test(failure.message)) return say('transient')
  return portErrorOfStatus(status, told, optionsOf(undefined, retryAfterMs))
}

function optionsOf(hint: string | undefined, retryAfterMs: number | undefined): PortErrorOptions {
  return { ...(hint === undefined ? {} : { hint }), ...(retryAfterMs === undefined ? {} : { retryAfterMs }) }
}
