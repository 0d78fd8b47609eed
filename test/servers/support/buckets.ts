import { BucketOwner } from '../../../plugins/storage-s3/src/testing/bucket-owner.js'
import { startB2StandInProcess } from '../../b2-stand-in/own-process.js'
import { startRadosgw } from './radosgw.js'

/** A bucket of a provider with what opens it, and somebody who does to it what bkp never does. */
export interface Bucket {
  /** As a user types it. */
  readonly url: string
  /** Options of the configuration, without secrets. */
  readonly options: Readonly<Record<string, string>>
  /** The option that is secret, and its value. */
  readonly secret: readonly [option: string, value: string]
  /** The credentials, as the environment gives them. */
  readonly env: Readonly<Record<string, string>>
  /** Keys of the objects of the repository. */
  keys(): Promise<readonly string[]>
  flipBit(key: string): Promise<void>
  drop(key: string): Promise<void>
  /** Has every write refused because the account is full, or no longer. Undefined where that cannot be arranged. */
  readonly setFull?: (state: 'full' | 'free') => Promise<void>
  close(): Promise<void>
}

const prefix = 'ssd/'

/** A bucket of Ceph's gateway, as the user who owns it. */
export async function startS3Bucket(): Promise<Bucket> {
  const server = await startRadosgw()
  const owner = new BucketOwner(server.endpoint, server.owner)
  const bucket = await owner.makeBucket()
  const { accessKeyId, secretAccessKey } = server.owner
  return {
    url: `s3://${bucket}/ssd?endpoint=${server.endpoint}`,
    options: { accessKeyId },
    secret: ['secretAccessKey', secretAccessKey],
    env: { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey },
    keys: async () => (await owner.keys(bucket, prefix)).map((key) => key.slice(prefix.length)),
    flipBit: (key) => owner.flipBit(bucket, prefix + key),
    drop: (key) => owner.drop(bucket, prefix + key),
    async close() {
      owner.close()
      await server.stop()
    },
  }
}

/** A bucket of the stand-in of B2, with a key for that bucket and prefix. */
export async function startB2Bucket(): Promise<Bucket> {
  const standIn = await startB2StandInProcess()
  const { realmUrl, bucket } = standIn
  const { applicationKeyId, applicationKey } = await standIn.tell('createKey', {
    buckets: [bucket],
    namePrefix: prefix,
    capabilities: ['listFiles', 'readFiles', 'writeFiles', 'deleteFiles'],
  })
  return {
    url: `b2://${bucket}/ssd?realmUrl=${realmUrl}`,
    options: { applicationKeyId },
    secret: ['applicationKey', applicationKey],
    env: { B2_APPLICATION_KEY_ID: applicationKeyId, B2_APPLICATION_KEY: applicationKey },
    keys: async () => (await standIn.tell('names')).map((key) => key.slice(prefix.length)),
    flipBit: (key) => standIn.tell('flipBit', prefix + key),
    drop: (key) => standIn.tell('drop', prefix + key),
    setFull: (state) => standIn.tell('setCaps', state === 'full' ? { storageBytes: 0 } : {}),
    close: () => standIn.close(),
  }
}
