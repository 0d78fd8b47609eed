import { isSecret, PortError, type Secret, type StorageRequest } from '@bkp/plugin-api'
import { type Endpoint, endpointOf } from './endpoint.js'
import { type Location, parseLocation } from './location.js'

const mebibyte = 1_048_576

export type Checksums = 'crc32' | 'sha256' | 'md5' | 'none'

export type Credentials =
  | {
      readonly kind: 'keys'
      readonly accessKeyId: string
      readonly secretAccessKey: Secret
      readonly sessionToken: Secret | undefined
    }
  /** What the SDK finds: environment, profile, SSO, role of the machine. */
  | { readonly kind: 'chain'; readonly profile: string | undefined }

/** The options of one bucket, with every default filled in. */
export interface S3Settings {
  readonly location: Location
  readonly endpoint: Endpoint
  readonly credentials: Credentials
  readonly createBucket: boolean
  readonly storageClass: string | undefined
  readonly serverSideEncryption: string | undefined
  readonly kmsKeyId: string | undefined
  /** Base64 of 32 bytes: the server encrypts with it and forgets it (SSE-C). */
  readonly customerKey: Secret | undefined
  readonly objectLock: { readonly mode: 'GOVERNANCE' | 'COMPLIANCE'; readonly days: number } | undefined
  readonly deleteVersions: boolean
  readonly checksums: Checksums
  /** `unsure`: ask for it, and look before; the server may ignore it. */
  readonly conditionalCreate: 'known' | 'unsure' | 'missing'
  readonly ca: string | undefined
  readonly partSizeBytes: number
  readonly concurrency: number
}

/** @throws PortError `config` for what the schema cannot tell */
export function settingsOf({ url, configuration }: Pick<StorageRequest, 'url' | 'configuration'>): S3Settings {
  const text = (name: string) => option<string>(configuration, name, 'string')
  const flag = (name: string) => option<boolean>(configuration, name, 'boolean')
  const number = (name: string) => option<number>(configuration, name, 'number')
  const endpoint = endpointOf({ endpoint: text('endpoint'), region: text('region'), pathStyle: flag('pathStyle') })
  const objectLock = objectLockOf(text('objectLockMode'), number('objectLockDays'))
  const wanted = text('conditionalCreate') ?? 'auto'
  const known = wanted === 'yes' || (wanted === 'auto' && endpoint.isConditional)
  return {
    location: parseLocation(url),
    endpoint,
    credentials: credentialsOf(configuration),
    createBucket: flag('createBucket') ?? false,
    storageClass: text('storageClass'),
    serverSideEncryption: text('serverSideEncryption'),
    kmsKeyId: text('kmsKeyId'),
    customerKey: secret(configuration, 'customerKey'),
    objectLock,
    // A delete marker would make a locked object look removed: only the removal of its version is refused.
    deleteVersions: flag('deleteVersions') ?? objectLock !== undefined,
    checksums: checksumsOf(text('checksums') ?? 'auto', endpoint.isAws, objectLock !== undefined),
    conditionalCreate: known ? 'known' : wanted === 'no' ? 'missing' : 'unsure',
    ca: text('ca'),
    partSizeBytes: (number('partSizeMiB') ?? 16) * mebibyte,
    concurrency: number('concurrency') ?? 8,
  }
}

function credentialsOf(configuration: StorageRequest['configuration']): Credentials {
  const accessKeyId = option<string>(configuration, 'accessKeyId', 'string')
  const profile = option<string>(configuration, 'profile', 'string')
  const secretAccessKey = secret(configuration, 'secretAccessKey')
  const sessionToken = secret(configuration, 'sessionToken')
  // A secret alone comes from the environment, where the SDK finds its other half as well.
  if (accessKeyId === undefined) return { kind: 'chain', profile }
  if (profile !== undefined) throw new PortError('config', 'Give either accessKeyId or profile, not both')
  if (secretAccessKey === undefined) {
    throw new PortError('config', `There is no secret key for the access key ${accessKeyId}`, {
      hint: 'Give secretAccessKey in the configuration, or set AWS_SECRET_ACCESS_KEY',
    })
  }
  return { kind: 'keys', accessKeyId, secretAccessKey, sessionToken }
}

function objectLockOf(mode: string | undefined, days: number | undefined): S3Settings['objectLock'] {
  if (mode === undefined && days === undefined) return undefined
  if (days === undefined)
    throw new PortError('config', 'objectLockMode needs objectLockDays: how long objects are locked')
  return { mode: mode === 'COMPLIANCE' ? 'COMPLIANCE' : 'GOVERNANCE', days }
}

function checksumsOf(wanted: string, isAws: boolean, isLocked: boolean): Checksums {
  if (wanted !== 'auto') return wanted as Checksums
  if (isAws) return 'crc32'
  // The protocol demands a checksum with a lock, and MD5 is the one that all servers know.
  return isLocked ? 'md5' : 'none'
}

function option<T>(configuration: StorageRequest['configuration'], name: string, type: string): T | undefined {
  const value = configuration[name]
  if (value === undefined || value === '') return undefined
  if (typeof value !== type) throw new PortError('config', `The option ${name} is not a ${type}`)
  return value as T
}

function secret(configuration: StorageRequest['configuration'], name: string): Secret | undefined {
  const value = configuration[name]
  if (value === undefined) return undefined
  if (!isSecret(value)) throw new PortError('config', `The option ${name} is not a secret`)
  return value
}
