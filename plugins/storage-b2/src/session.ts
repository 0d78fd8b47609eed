import { PortError, type Secret } from '@bkp/plugin-api'
import { isTokenRefused, toPortError } from './failures.js'
import { connected, first, type Http, type HttpAnswer } from './http.js'
import { encodeName } from './names.js'

const version = 'v4'
/** One renewal is enough, unless the new token ends while the call waits for its turn. */
const attempts = 3

/** What `b2_authorize_account` tells, as far as it matters here. */
export interface Authorization {
  readonly accountId: string
  /** Valid for at most 24 hours. */
  readonly token: string
  readonly apiUrl: string
  readonly downloadUrl: string
  readonly recommendedPartBytes: number
  readonly minimumPartBytes: number
  readonly allowed: Allowed
}

/** What an application key may do, and where. */
export interface Allowed {
  /** Undefined for all buckets. The name is missing when the bucket is gone. */
  readonly buckets: readonly { readonly id: string; readonly name: string | undefined }[] | undefined
  readonly capabilities: readonly string[]
  /** Empty for all names. */
  readonly namePrefix: string
}

export interface Credentials {
  readonly realmUrl: string
  readonly applicationKeyId: string
  readonly applicationKey: Secret
}

/**
 * Calls with the token of the account. One that is refused is renewed, once for all calls that wait, and the call is
 * repeated: tokens live for a day, and runs may last longer.
 */
export class Session {
  readonly #http: Http
  readonly #credentials: Credentials
  #authorization: Promise<Authorization> | undefined

  constructor(http: Http, credentials: Credentials) {
    this.#http = http
    this.#credentials = credentials
  }

  /** The current authorization; asks for it the first time (class C). */
  authorization(): Promise<Authorization> {
    if (this.#authorization === undefined) {
      const asked = this.#authorize()
      this.#authorization = asked
      asked.catch(() => {
        if (this.#authorization === asked) this.#authorization = undefined
      })
    }
    return this.#authorization
  }

  /** Calls `/b2api/v4/<name>` with a JSON body. @throws B2Failure, ConnectionFailure */
  async call(name: string, body: Readonly<Record<string, unknown>>, signal?: AbortSignal): Promise<unknown> {
    return this.#authorized(signal, ({ apiUrl, token }) =>
      this.#http.sendForJson({
        method: 'POST',
        url: `${apiUrl}/b2api/${version}/${name}`,
        authorization: token,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
        signal,
      }),
    )
  }

  /** Calls `b2_download_file_by_name`. @throws B2Failure, ConnectionFailure */
  async download(
    asked: { readonly bucket: string; readonly name: string; readonly range?: string },
    signal?: AbortSignal,
  ): Promise<HttpAnswer> {
    return this.#authorized(signal, ({ downloadUrl, token }) =>
      this.#http.send({
        method: 'GET',
        url: `${downloadUrl}/file/${encodeURIComponent(asked.bucket)}/${encodeName(asked.name)}`,
        authorization: token,
        headers: asked.range === undefined ? {} : { range: asked.range },
        signal,
      }),
    )
  }

  /** The clock of the service, by what it says with an answer: milliseconds since 1970 (class C). */
  async now(signal?: AbortSignal): Promise<number> {
    const { headers, body } = await this.#http.send({ ...this.#signIn(), signal })
    await connected(() => body.dump())
    const time = Date.parse(first(headers.date) ?? '')
    if (Number.isNaN(time)) throw new PortError('unsupported', `${this.#credentials.realmUrl} does not tell its time`)
    return time
  }

  /** The request that asks for a token. */
  #signIn(): { readonly method: 'GET'; readonly url: string; readonly authorization: string } {
    const { realmUrl, applicationKeyId, applicationKey } = this.#credentials
    const basic = Buffer.from(`${applicationKeyId}:${applicationKey.reveal()}`).toString('base64')
    return { method: 'GET', url: `${realmUrl}/b2api/${version}/b2_authorize_account`, authorization: `Basic ${basic}` }
  }

  async #authorized<T>(
    signal: AbortSignal | undefined,
    action: (authorization: Authorization) => Promise<T>,
  ): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      const promise = this.authorization()
      const authorization = await unlessAborted(promise, signal)
      try {
        return await action(authorization)
      } catch (error) {
        if (!isTokenRefused(error) || attempt === attempts) throw error
        // Another call may have renewed it already.
        if (this.#authorization === promise) this.#authorization = undefined
      }
    }
  }

  /** Without a signal: many calls wait for it, and one that is stopped must not stop the others. */
  async #authorize(): Promise<Authorization> {
    const { realmUrl } = this.#credentials
    try {
      return parseAuthorization(await this.#http.sendForJson(this.#signIn()), realmUrl)
    } catch (error) {
      const failed = toPortError(error, `Cannot sign in at ${realmUrl}`)
      // Here it is the key itself that is wrong, not what it may do.
      if (failed.code !== 'forbidden' || (error as { status?: unknown }).status !== 401) throw failed
      throw new PortError('auth', failed.message, { hint: 'Check the ID of the application key, and the key itself' })
    }
  }
}

async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise
  signal.throwIfAborted()
  let stop = () => {}
  const stopped = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason)
    signal.addEventListener('abort', stop, { once: true })
  })
  try {
    return await Promise.race([promise, stopped])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

function parseAuthorization(answer: unknown, realmUrl: string): Authorization {
  const { accountId, authorizationToken, apiInfo } = (answer ?? {}) as Record<string, unknown>
  const { storageApi } = (apiInfo ?? {}) as Record<string, unknown>
  const api = (storageApi ?? {}) as Record<string, unknown>
  const allowed = (api.allowed ?? {}) as Record<string, unknown>
  const { apiUrl, downloadUrl, recommendedPartSize, absoluteMinimumPartSize } = api
  if (
    typeof accountId !== 'string' ||
    typeof authorizationToken !== 'string' ||
    typeof apiUrl !== 'string' ||
    typeof downloadUrl !== 'string' ||
    typeof recommendedPartSize !== 'number' ||
    typeof absoluteMinimumPartSize !== 'number' ||
    !Array.isArray(allowed.capabilities)
  ) {
    throw new PortError('unsupported', `${realmUrl} does not answer as version 4 of the B2 native API does`)
  }
  return {
    accountId,
    token: authorizationToken,
    apiUrl,
    downloadUrl,
    recommendedPartBytes: recommendedPartSize,
    minimumPartBytes: absoluteMinimumPartSize,
    allowed: {
      buckets: Array.isArray(allowed.buckets) ? allowed.buckets.map(parseBucket) : undefined,
      capabilities: allowed.capabilities.filter((one): one is string => typeof one === 'string'),
      namePrefix: typeof allowed.namePrefix === 'string' ? allowed.namePrefix : '',
    },
  }
}

function parseBucket(bucket: unknown): { id: string; name: string | undefined } {
  const { id, name } = (bucket ?? {}) as Record<string, unknown>
  return { id: String(id), name: typeof name === 'string' ? name : undefined }
}
