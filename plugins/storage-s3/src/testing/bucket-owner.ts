import { createHash } from 'node:crypto'
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  paginateListObjectsV2,
  S3Client,
} from '@aws-sdk/client-s3'

/** Someone who does with buckets what bkp itself never does. */
export class BucketOwner {
  readonly #client: S3Client
  #buckets = 0

  constructor(endpoint: string, credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }) {
    this.#client = new S3Client({ endpoint, credentials, region: 'us-east-1', forcePathStyle: true })
  }

  /** @param kind `locking`: with versions, and objects may be locked */
  async makeBucket(kind: 'plain' | 'versioned' | 'locking' = 'plain'): Promise<string> {
    const bucket = `bucket-${Date.now()}-${this.#buckets++}`
    await this.#client.send(new CreateBucketCommand({ Bucket: bucket, ObjectLockEnabledForBucket: kind === 'locking' }))
    const VersioningConfiguration = { Status: 'Enabled' } as const
    if (kind === 'versioned') {
      await this.#client.send(new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration }))
    }
    return bucket
  }

  async setPolicy(bucket: string, policy: object): Promise<void> {
    await this.#client.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy: JSON.stringify(policy) }))
  }

  /** Versions and delete markers of all keys with a prefix; at most 1,000. */
  async versions(bucket: string, prefix = ''): Promise<{ key: string; versionId: string; isMarker: boolean }[]> {
    const page = await this.#client.send(new ListObjectVersionsCommand({ Bucket: bucket, Prefix: prefix }))
    const tell = (isMarker: boolean) => (one: { Key?: string | undefined; VersionId?: string | undefined }) => ({
      key: one.Key ?? '',
      versionId: one.VersionId ?? '',
      isMarker,
    })
    return [...(page.Versions ?? []).map(tell(false)), ...(page.DeleteMarkers ?? []).map(tell(true))]
  }

  async unfinishedUploads(bucket: string): Promise<number> {
    const page = await this.#client.send(new ListMultipartUploadsCommand({ Bucket: bucket }))
    return page.Uploads?.length ?? 0
  }

  async keys(bucket: string, prefix = ''): Promise<string[]> {
    const keys: string[] = []
    for await (const { Contents = [] } of paginateListObjectsV2(
      { client: this.#client },
      { Bucket: bucket, Prefix: prefix },
    ))
      for (const { Key } of Contents) if (Key !== undefined) keys.push(Key)
    return keys
  }

  /** Flips one bit of what is stored, as a disk that rots. */
  async flipBit(bucket: string, key: string): Promise<void> {
    const { Body } = await this.#client.send(new GetObjectCommand({ Bucket: bucket, Key: key }))
    const bytes = (await Body?.transformToByteArray()) ?? new Uint8Array(1)
    const middle = bytes.length >> 1
    bytes[middle] = (bytes[middle] ?? 0) ^ 1
    await this.#client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: bytes }))
  }

  async drop(bucket: string, key: string): Promise<void> {
    await this.#client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }))
  }

  async empty(bucket: string, prefix = ''): Promise<void> {
    for (;;) {
      const found = await this.versions(bucket, prefix)
      if (found.length === 0) return
      const Objects = found.map(({ key, versionId }) => ({ Key: key, VersionId: versionId }))
      const command = new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: true } })
      addContentMd5(command)
      await this.#client.send(command)
    }
  }

  close(): void {
    this.#client.destroy()
  }
}

/** Swift demands it, as all of the protocol once did; the SDK sends a CRC32 instead. */
function addContentMd5({ middlewareStack }: DeleteObjectsCommand): void {
  middlewareStack.add(
    (next) => (args) => {
      const { body, headers } = args.request as { body: string; headers: Record<string, string> }
      headers['content-md5'] = createHash('md5').update(body).digest('base64')
      return next(args)
    },
    { step: 'build', priority: 'low', name: 'bkpContentMd5' },
  )
}
