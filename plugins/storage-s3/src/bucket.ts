import type { S3Client } from '@aws-sdk/client-s3'
import type { Logger } from '@bkp/plugin-api'
import type { S3Settings } from './settings.js'

/** What every call needs to know. */
export interface Bucket {
  readonly client: S3Client
  readonly settings: S3Settings
  readonly log: Logger
}

/** Bucket and prefix, as messages call the place. */
export function placeOf({ location: { bucket, prefix } }: S3Settings): string {
  return `s3://${bucket}${prefix === '' ? '' : `/${prefix.slice(0, -1)}`}`
}

/** Where an object lies, as the SDK wants it. */
export function addressOf({ location: { bucket, prefix } }: S3Settings, key: string): { Bucket: string; Key: string } {
  return { Bucket: bucket, Key: `${prefix}${key}` }
}
