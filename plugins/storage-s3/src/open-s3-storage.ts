import { CreateBucketCommand, ListObjectsV2Command } from '@aws-sdk/client-s3'
import { isPortError, type Storage, type StorageRequest } from '@bkp/plugin-api'
import { addressOf, type Bucket, placeOf } from './bucket.js'
import { call } from './calls.js'
import { makeClient } from './client.js'
import { S3Storage } from './s3-storage.js'
import { settingsOf } from './settings.js'

/**
 * Opens a bucket as a storage, after one request that shows that it is there and may be listed.
 * @throws PortError `not-found` when there is no bucket, `auth`, `forbidden`, `config`, `offline`, …
 */
export async function openS3Storage(request: StorageRequest): Promise<Storage> {
  const settings = settingsOf(request)
  const bucket: Bucket = { client: makeClient(settings), settings, log: request.log }
  try {
    await visit(bucket, request.intent)
    return new S3Storage(bucket)
  } catch (error) {
    bucket.client.destroy()
    throw error
  }
}

async function visit(bucket: Bucket, intent: StorageRequest['intent']): Promise<void> {
  const { client, settings } = bucket
  const { Bucket, Key } = addressOf(settings, '')
  // A list and not HeadBucket, whose answer has no body that could tell what is wrong.
  const look = new ListObjectsV2Command({ Bucket, Prefix: Key, MaxKeys: 1 })
  try {
    await call(`Cannot open ${placeOf(settings)}`, undefined, (options) => client.send(look, options))
  } catch (error) {
    if (intent !== 'create' || !settings.createBucket || !isPortError(error, 'not-found')) throw error
    await createBucket(bucket)
  }
}

/** The SDK adds the region that the bucket has to lie in. */
async function createBucket({ client, settings }: Bucket): Promise<void> {
  const command = new CreateBucketCommand({
    Bucket: settings.location.bucket,
    ...(settings.objectLock === undefined ? {} : { ObjectLockEnabledForBucket: true }),
  })
  await call(`Cannot make the bucket ${settings.location.bucket}`, undefined, (options) =>
    client.send(command, options),
  )
}
