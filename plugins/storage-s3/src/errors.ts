import {
  isPortError,
  PortError,
  type PortErrorCode,
  type PortErrorOptions,
  portErrorOfConnection,
  portErrorOfStatus,
  retryAfterMs,
} from '@bkp/plugin-api'

interface Meaning {
  readonly code: PortErrorCode
  readonly hint?: string
}

const badKeys: Meaning = {
  code: 'auth',
  hint: 'Check access key and secret key; they belong together, and to this endpoint',
}
const badToken: Meaning = { code: 'auth', hint: 'The session has expired: log in again (for SSO: aws sso login)' }
const badClock: Meaning = { code: 'config', hint: 'The clock of this machine is wrong: set it, best by NTP' }
const full: Meaning = {
  code: 'quota',
  hint: 'Free space or raise the quota, then run the same command again; nothing is damaged',
}
const missingBucket: Meaning = {
  code: 'not-found',
  hint: 'Check bucket, region and endpoint; or make the bucket, by init with createBucket=true',
}
const wrongRegion: Meaning = { code: 'config', hint: 'Give the region of the bucket: region=…' }
const damagedOnTheWay: Meaning = { code: 'transient' }

/** Error codes that say more than their status: those of AWS, then what other servers added. */
const meanings: Readonly<Record<string, Meaning>> = {
  NoSuchKey: { code: 'not-found' },
  NoSuchVersion: { code: 'not-found' },
  NoSuchBucket: missingBucket,
  // Someone removed the parts, or an earlier attempt was completed: a new upload goes through.
  NoSuchUpload: { code: 'transient' },
  AccessDenied: { code: 'forbidden', hint: 'The key may not do this: check its policy and the policy of the bucket' },
  AllAccessDisabled: { code: 'forbidden' },
  InvalidObjectState: { code: 'unsupported', hint: 'The object lies in an archive: restore it there first' },
  InvalidAccessKeyId: badKeys,
  SignatureDoesNotMatch: badKeys,
  InvalidClientTokenId: badKeys,
  ExpiredToken: badToken,
  ExpiredTokenException: badToken,
  InvalidToken: badToken,
  TokenRefreshRequired: badToken,
  CredentialsProviderError: {
    code: 'auth',
    hint: 'Give accessKeyId and secretAccessKey, or a profile, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
  },
  TokenProviderError: badToken,
  RequestTimeTooSkewed: badClock,
  RequestExpired: badClock,
  PreconditionFailed: { code: 'already-exists' },
  ConditionalRequestConflict: { code: 'transient' },
  OperationAborted: { code: 'transient' },
  RequestTimeout: { code: 'transient' },
  IncompleteBody: damagedOnTheWay,
  BadDigest: damagedOnTheWay,
  XAmzContentSHA256Mismatch: damagedOnTheWay,
  InternalError: { code: 'transient' },
  SlowDown: { code: 'throttled' },
  ServiceUnavailable: { code: 'throttled' },
  TooManyRequests: { code: 'throttled' },
  InvalidRange: { code: 'range-invalid' },
  EntityTooLarge: {
    code: 'unsupported',
    hint: 'The server does not take objects of this size at once: give a smaller partSizeMiB',
  },
  NotImplemented: { code: 'unsupported' },
  // The list of parts is the only one that bkp writes, and a checksum the only thing in it that not all know.
  MalformedXML: {
    code: 'unsupported',
    hint: 'The server takes no such checksums for objects in parts: set checksums=md5 or checksums=none',
  },
  PermanentRedirect: wrongRegion,
  AuthorizationHeaderMalformed: wrongRegion,
  IllegalLocationConstraintException: wrongRegion,
  QuotaExceeded: full,
  InsufficientStorage: full,
  XMinioStorageFull: full,
  XMinioAdminBucketQuotaExceeded: full,
}

/** What the SDK throws, as far as it is needed. */
interface SdkError {
  readonly name?: string
  readonly message?: string
  readonly code?: unknown
  readonly errors?: unknown
  readonly Region?: unknown
  readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string }
  readonly $response?: { readonly statusCode?: number; readonly headers?: Readonly<Record<string, string>> }
}

/** @param what what was tried, e.g. `Cannot store packs/ab/x in s3://bucket` */
export function toPortError(error: unknown, what: string, now = Date.now()): PortError {
  if (isPortError(error)) return error
  const thrown = (typeof error === 'object' && error !== null ? error : { message: String(error) }) as SdkError
  const name = thrown.name ?? ''
  const status = thrown.$metadata?.httpStatusCode ?? thrown.$response?.statusCode
  const text = `${what}: ${reasonOf(thrown, status)}`
  const meaning = meaningOf(thrown, status)
  if (status === undefined && meaning === undefined) {
    if (/^Region is missing/.test(thrown.message ?? '')) {
      return new PortError('config', text, { hint: 'Give the region of the bucket: region=…, or set AWS_REGION' })
    }
    return portErrorOfConnection(withoutRequest(thrown), what)
  }
  const wait = retryAfterMs(thrown.$response?.headers?.['retry-after'], now)
  const options: PortErrorOptions = {
    cause: withoutRequest(thrown),
    ...(meaning?.hint === undefined ? {} : { hint: meaning.hint }),
    ...(wait === undefined ? {} : { retryAfterMs: wait }),
  }
  if (meaning === undefined) return portErrorOfStatus(status ?? 0, text, options)
  return new PortError(meaning.code, name === '' ? what : text, options)
}

function meaningOf(thrown: SdkError, status: number | undefined): Meaning | undefined {
  const known = Object.hasOwn(meanings, thrown.name ?? '') ? meanings[thrown.name ?? ''] : undefined
  // Backblaze tells a reached cap by the text alone.
  if (status === 403 && /\bcap exceeded\b/i.test(thrown.message ?? '')) return full
  const isElsewhere = known === wrongRegion || status === 301 || status === 307
  if (!isElsewhere) return known
  const region = thrown.Region ?? thrown.$response?.headers?.['x-amz-bucket-region']
  return typeof region === 'string'
    ? { code: 'config', hint: `The bucket lies in another region: give region=${region}` }
    : wrongRegion
}

function reasonOf({ name, message, code, $metadata }: SdkError, status: number | undefined): string {
  const said =
    message === undefined || message === '' || message === 'UnknownError' ? undefined : message.split('\n')[0]
  const called = name === undefined || /^(?:Error|Unknown(?:Error)?|SyntaxError|\d+)$/.test(name) ? undefined : name
  const spoken = [called, said === called ? undefined : said].filter((part) => part !== undefined).join(': ')
  const fallback = status === undefined ? String(code ?? 'the connection failed') : `the server answered ${status}`
  const id = $metadata?.requestId
  return `${spoken === '' ? fallback : spoken}${id === undefined ? '' : ` (request ${id})`}`
}

/** Errors of the SDK hold answers, and answers to a wrong signature hold session tokens: none of that goes further. */
function withoutRequest({ name, message, code, errors }: SdkError): Error {
  const first: unknown = Array.isArray(errors) ? (errors[0] as SdkError | undefined)?.code : undefined
  const kept = new Error((message ?? '').split('\n')[0])
  kept.name = name ?? 'Error'
  const systemCode = code ?? first
  return typeof systemCode === 'string' ? Object.assign(kept, { code: systemCode }) : kept
}
