import { B2Failure, ConnectionFailure, isTokenRefused } from './failures.js'

export interface UploadUrl {
  readonly url: string
  readonly token: string
}

interface Idle extends UploadUrl {
  readonly since: number
}

/** As the integration checklist of B2 has it: five uploads, each with a URL of its own, before it counts as failed. */
const attempts = 5
/** URLs live for 24 hours. */
const longestLifeMs = 23 * 60 * 60_000

/**
 * Addresses of pods that take uploads, one for each upload that is under way, used again until one fails. A pod that is
 * full or gone says so by 503 or a broken connection, and the next URL names another: that is the protocol, not a retry
 * of ours, and needs no waiting.
 */
export class UploadUrls {
  readonly #request: (signal?: AbortSignal) => Promise<UploadUrl>
  readonly #now: () => number
  readonly #idle: Idle[] = []

  constructor(request: (signal?: AbortSignal) => Promise<UploadUrl>, now: () => number = Date.now) {
    this.#request = request
    this.#now = now
  }

  /** Uploads by `send`, perhaps several times. @throws what `send` and the request of a URL throw */
  async upload<T>(send: (url: UploadUrl) => Promise<T>, signal?: AbortSignal): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      // After a failure the others of the pool may be as dead as the one that failed.
      const url = (attempt === 1 ? this.#takeIdle() : undefined) ?? {
        ...(await this.#request(signal)),
        since: this.#now(),
      }
      try {
        const result = await send(url)
        this.#idle.push(url)
        return result
      } catch (error) {
        if (signal?.aborted || attempt === attempts || !needsAnotherUrl(error)) throw error
      }
    }
  }

  #takeIdle(): Idle | undefined {
    for (let url = this.#idle.pop(); url !== undefined; url = this.#idle.pop()) {
      if (this.#now() - url.since < longestLifeMs) return url
    }
    return undefined
  }
}

function needsAnotherUrl(error: unknown): boolean {
  if (error instanceof ConnectionFailure || isTokenRefused(error)) return true
  if (!(error instanceof B2Failure)) return false
  // Who names a time to wait wants to be left alone so long. Core waits.
  if (error.retryAfterMs !== undefined && error.retryAfterMs > 0) return false
  return error.status === 408 || error.status >= 500 || error.code === 'auth_token_limit'
}

/** The answer of `b2_get_upload_url` and `b2_get_upload_part_url`. */
export function parseUploadUrl(answer: unknown): UploadUrl {
  const { uploadUrl, authorizationToken } = (answer ?? {}) as Record<string, unknown>
  if (typeof uploadUrl !== 'string' || typeof authorizationToken !== 'string') {
    throw new ConnectionFailure(new Error('B2 gives no upload URL'))
  }
  return { url: uploadUrl, token: authorizationToken }
}
