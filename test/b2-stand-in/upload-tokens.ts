import { randomBytes } from 'node:crypto'
import { ApiError, badToken, expiredToken } from './api-error.js'
import type { HeldKey } from './application-keys.js'
import type { Bucket } from './buckets.js'

export interface UploadPermit {
  readonly key: HeldKey
  readonly bucket: Bucket
  /** Of the large file, for parts. */
  readonly fileId?: string
}

interface Held {
  readonly permit: UploadPermit
  readonly pod: string
  expires: number
  underWay: number
}

const lifeMs = 24 * 60 * 60_000

/** Upload URLs and their tokens. Each takes one upload at a time. */
export class UploadTokens {
  readonly #now: () => number
  readonly #held = new Map<string, Held>()

  constructor(now: () => number) {
    this.#now = now
  }

  create(permit: UploadPermit): { pod: string; token: string } {
    const pod = `c005_v0501000_t${randomBytes(4).toString('hex')}`
    const token = `4_005${randomBytes(30).toString('base64url')}_upld`
    this.#held.set(token, { permit, pod, expires: this.#now() + lifeMs, underWay: 0 })
    return { pod, token }
  }

  /** An upload arrives; `end` must follow. Whether it may go on, `permit` tells. */
  arrive(token: string | undefined): { isAlone: boolean; end: () => void } {
    const held = this.#held.get(token ?? '')
    if (held === undefined) return { isAlone: true, end: () => {} }
    held.underWay++
    const end = () => {
      held.underWay--
    }
    return { isAlone: held.underWay === 1, end }
  }

  /** @throws ApiError 400, 401 */
  permit(token: string | undefined, pod: string, isAlone: boolean): UploadPermit {
    const held = this.#held.get(token ?? '')
    if (held === undefined || held.pod !== pod) throw badToken()
    if (held.expires <= this.#now()) throw expiredToken()
    if (!isAlone) throw new ApiError(400, 'auth_token_limit', `more than one upload using auth token ${String(token)}`)
    return held.permit
  }

  expire(): void {
    for (const held of this.#held.values()) held.expires = 0
  }
}
