import { PortError, type PortErrorCode, type PortErrorOptions } from './error.js'

const codeOfStatus: Readonly<Record<number, PortErrorCode>> = {
  400: 'config',
  401: 'auth',
  403: 'forbidden',
  404: 'not-found',
  405: 'unsupported',
  408: 'transient',
  409: 'transient',
  410: 'not-found',
  411: 'unsupported',
  412: 'already-exists',
  413: 'quota',
  416: 'range-invalid',
  423: 'transient',
  425: 'transient',
  429: 'throttled',
  500: 'transient',
  501: 'unsupported',
  502: 'transient',
  503: 'throttled',
  504: 'transient',
  507: 'quota',
}

/**
 * What an HTTP status means for a port. A provider that says it better in a body of its own is asked first, by the plugin.
 * @param status 400 to 599; others count as `transient`
 */
export function portErrorOfStatus(status: number, message: string, options: PortErrorOptions = {}): PortError {
  return new PortError(
    codeOfStatus[status] ?? (status >= 400 && status < 500 ? 'config' : 'transient'),
    message,
    options,
  )
}

/** Nobody is there to talk to: another attempt may take long to succeed. */
const offline = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'ENETDOWN']
const untrusted =
  /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT|UNABLE_TO_|CERT_|ERR_TLS_CERT|HOSTNAME_MISMATCH|INVALID_CA|PATH_LENGTH)/

/**
 * What a failed connection means for a port: `offline` when nobody answered, `config` when the certificate is not trusted,
 * else `transient`. Looks through `cause` and `errors` for the system's code, as fetch and dual-stack connects wrap it.
 * @param message what was tried, e.g. `packs/ab/cd cannot be read`; a colon and the reason of `cause` are put behind it
 */
export function portErrorOfConnection(cause: unknown, message: string): PortError {
  const codes = systemCodesOf(cause)
  const reason = cause instanceof Error && cause.message !== '' ? cause.message : (codes[0] ?? 'the connection failed')
  const text = `${message}: ${reason}`
  if (codes.some((code) => offline.includes(code))) {
    return new PortError('offline', text, { cause, hint: 'Check the address and the network' })
  }
  if (codes.some((code) => untrusted.test(code))) {
    return new PortError('config', text, {
      cause,
      hint: 'The certificate is not trusted; if it is your own, name its authority in the configuration: ca=/path/to/ca.pem',
    })
  }
  return new PortError('transient', text, { cause })
}

function systemCodesOf(error: unknown, depth = 0): string[] {
  if (typeof error !== 'object' || error === null || depth > 4) return []
  const { code, cause, errors } = error as { code?: unknown; cause?: unknown; errors?: unknown }
  const own = typeof code === 'string' ? [code] : []
  const inner = Array.isArray(errors) ? errors.flatMap((one) => systemCodesOf(one, depth + 1)) : []
  return [...own, ...inner, ...systemCodesOf(cause, depth + 1)]
}

/**
 * Milliseconds of a `Retry-After` header, which holds seconds or a date (RFC 9110, 10.2.3); undefined when it says nothing.
 * @param now in milliseconds since 1970
 */
export function retryAfterMs(header: string | null | undefined, now: number): number | undefined {
  if (header === null || header === undefined || header.trim() === '') return undefined
  const seconds = Number(header)
  const wait = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - now
  return Number.isFinite(wait) && wait >= 0 ? wait : undefined
}
