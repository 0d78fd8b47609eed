import {
  CreateBucketCommand,
  DeleteObjectsCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
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

  async empty(bucket: string, prefix = ''): Promise<void> {
    for (;;) {
      const found = await this.versions(bucket, prefix)
      if (found.length === 0) return
      const Objects = found.map(({ key, versionId }) => ({ Key: key, VersionId: versionId }))
      await this.#client.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: true } }))
    }
  }

  close(): void {
    this.#client.destroy()
  }
}
