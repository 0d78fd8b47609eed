import { PortError } from '@bkp/plugin-api'
import type { Location } from './names.js'
import type { Allowed } from './session.js'

export type Capability =
  | 'listBuckets'
  | 'listFiles'
  | 'readFiles'
  | 'writeFiles'
  | 'deleteFiles'
  | 'writeFileRetentions'

/** What the application key may do, asked before anything is sent. */
export class Permissions {
  readonly #allowed: Allowed

  constructor(allowed: Allowed) {
    this.#allowed = allowed
  }

  has(capability: Capability): boolean {
    return this.#allowed.capabilities.includes(capability)
  }

  /** @throws PortError `forbidden` */
  require(capability: Capability, what: string): void {
    if (this.has(capability)) return
    throw new PortError('forbidden', `${what}: the application key lacks the capability ${capability}`, {
      hint: `Make an application key that has ${capability}, or use bkp only for what this one may do`,
    })
  }

  /** @throws PortError `forbidden` when the key is made for other names than those below the prefix */
  requirePrefix({ bucket, prefix }: Location): void {
    const { namePrefix } = this.#allowed
    if (prefix.startsWith(namePrefix)) return
    throw new PortError(
      'forbidden',
      `The application key is restricted to names that begin with "${namePrefix}", and those of b2://${bucket}/${prefix} do not`,
      { hint: `Use b2://${bucket}/${namePrefix}, or make an application key for "${prefix}"` },
    )
  }

  /**
   * The ID of a bucket, from the restriction of the key: so that it need not list buckets.
   * @returns undefined when the key is for all buckets
   * @throws PortError `forbidden` when it is for others
   */
  bucketId(name: string): string | undefined {
    const { buckets } = this.#allowed
    if (buckets === undefined) return undefined
    // B2 does not tell a and A apart in names of buckets.
    const found = buckets.find((one) => one.name?.toLowerCase() === name.toLowerCase())
    if (found !== undefined) return found.id
    const others = buckets.map((one) => one.name ?? 'one that is gone').join(', ')
    throw new PortError('forbidden', `The application key is restricted to the bucket ${others}, not ${name}`, {
      hint: `Check the URL, or make an application key for the bucket ${name}`,
    })
  }
}
