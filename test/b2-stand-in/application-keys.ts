import { randomBytes } from 'node:crypto'
import { badToken, expiredToken, unauthorized } from './api-error.js'

export const allCapabilities = [
  'listKeys',
  'writeKeys',
  'deleteKeys',
  'listAllBucketNames',
  'listBuckets',
  'readBuckets',
  'writeBuckets',
  'deleteBuckets',
  'listFiles',
  'readFiles',
  'shareFiles',
  'writeFiles',
  'deleteFiles',
  'readFileRetentions',
  'writeFileRetentions',
  'readFileLegalHolds',
  'writeFileLegalHolds',
  'bypassGovernance',
] as const

export type Capability = (typeof allCapabilities)[number]

export interface KeyRestrictions {
  /** All unless told. */
  readonly capabilities?: readonly Capability[]
  /** Names of buckets; all unless told. */
  readonly buckets?: readonly string[]
  readonly namePrefix?: string
}

export interface ApplicationKey {
  readonly applicationKeyId: string
  readonly applicationKey: string
}

export interface HeldKey extends ApplicationKey {
  readonly capabilities: readonly Capability[]
  readonly buckets: readonly string[] | undefined
  readonly namePrefix: string | undefined
}

interface Token {
  readonly key: HeldKey
  readonly expires: number
}

const tokenLifeMs = 24 * 60 * 60_000

/** Application keys, and the account tokens that `b2_authorize_account` gave for them. */
export class ApplicationKeys {
  readonly #now: () => number
  readonly #keys = new Map<string, HeldKey>()
  readonly #tokens = new Map<string, Token>()

  constructor(now: () => number) {
    this.#now = now
  }

  create({ capabilities = allCapabilities, buckets, namePrefix }: KeyRestrictions = {}): ApplicationKey {
    const applicationKeyId = `005${randomBytes(11).toString('hex')}`
    const applicationKey = `K005${randomBytes(20).toString('base64url')}`
    this.#keys.set(applicationKeyId, { applicationKeyId, applicationKey, capabilities, buckets, namePrefix })
    return { applicationKeyId, applicationKey }
  }

  delete(applicationKeyId: string): void {
    this.#keys.delete(applicationKeyId)
    for (const [token, { key }] of this.#tokens)
      if (key.applicationKeyId === applicationKeyId) this.#tokens.delete(token)
  }

  /** @param header of HTTP Basic @throws ApiError 401 */
  signIn(header: string | undefined): { token: string; key: HeldKey } {
    const [, encoded = ''] = /^Basic (.*)$/.exec(header ?? '') ?? []
    const [id = '', secret] = Buffer.from(encoded, 'base64').toString().split(':')
    const key = this.#keys.get(id)
    if (key === undefined || key.applicationKey !== secret) throw unauthorized('The application key is not valid')
    const token = `4_005${randomBytes(30).toString('base64url')}_acct`
    this.#tokens.set(token, { key, expires: this.#now() + tokenLifeMs })
    return { token, key }
  }

  /** @throws ApiError 401 */
  keyOf(token: string | undefined): HeldKey {
    const known = this.#tokens.get(token ?? '')
    if (known === undefined) throw badToken()
    if (known.expires <= this.#now()) throw expiredToken()
    return known.key
  }

  /** Makes all tokens that were given so far refused as expired, or one of them. */
  expire(which?: string): void {
    for (const [token, { key }] of this.#tokens) {
      if (which === undefined || which === token) this.#tokens.set(token, { key, expires: 0 })
    }
  }
}

/** @throws ApiError 401, as B2 does where others say 403 */
export function requireCapability(key: HeldKey, capability: Capability): void {
  if (!key.capabilities.includes(capability)) throw unauthorized(`not entitled: the key lacks ${capability}`)
}

/** @throws ApiError 401 */
export function requireBucket(key: HeldKey, bucketName: string): void {
  if (key.buckets !== undefined && !key.buckets.includes(bucketName)) throw unauthorized('not entitled to this bucket')
}

/** @throws ApiError 401 */
export function requirePrefix(key: HeldKey, name: string): void {
  if (key.namePrefix !== undefined && !name.startsWith(key.namePrefix))
    throw unauthorized('not entitled to names with this prefix')
}
