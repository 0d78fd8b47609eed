import { Secret, type Storage, type StorageRequest } from '@bkp/plugin-api'
import { openS3Storage } from '../open-s3-storage.js'

export interface OpenOptions {
  readonly url: string
  readonly secretAccessKey?: string
  readonly configuration?: Readonly<Record<string, unknown>>
  readonly intent?: StorageRequest['intent']
  /** Where warnings go. */
  readonly warn?: (message: string) => void
}

/** Opens a bucket as core does. */
export function openBucket({ url, secretAccessKey, configuration = {}, intent = 'open', warn = nothing }: OpenOptions) {
  const secrets = secretAccessKey === undefined ? {} : { secretAccessKey: new Secret(secretAccessKey) }
  const log = { debug: nothing, info: nothing, warn }
  return openS3Storage({ url, configuration: { ...configuration, ...secrets }, intent, log }) as Promise<Storage>
}

function nothing(): void {}
