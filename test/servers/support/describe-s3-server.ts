import { Secret } from '@bkp/plugin-api'
import { describeStorage } from '@bkp/testkit'
import { afterAll, beforeAll } from 'vitest'
import { BucketOwner } from '../../../plugins/storage-s3/src/testing/bucket-owner.js'
import { openBucket } from '../../../plugins/storage-s3/src/testing/open-bucket.js'
import type { S3Server } from './s3-server.js'

/**
 * The storage suite against an S3 server, with a prefix of its own for every place. Call it inside of a `describe`.
 * @param known what a user tells bkp of this server, beside where it is
 */
export function describeS3Server(start: () => Promise<S3Server>, known: Readonly<Record<string, unknown>> = {}): void {
  let server: S3Server
  let owner: BucketOwner
  let bucket: string
  let places = 0

  beforeAll(async () => {
    server = await start()
    owner = new BucketOwner(server.endpoint, server.owner)
    bucket = await owner.makeBucket()
  })
  afterAll(async () => {
    owner?.close()
    await server?.stop()
  })

  describeStorage('s3', {
    async open() {
      const prefix = `place-${places++}`
      const url = `s3://${bucket}/${prefix}`
      const { accessKeyId, secretAccessKey } = server.owner
      const account = { accessKeyId, secretAccessKey: new Secret(secretAccessKey) }
      const configuration = { endpoint: server.endpoint, ...account, ...known }
      const reopen = () => openBucket({ url, configuration })
      const dispose = () => owner.empty(bucket, `${prefix}/`)
      return { url, configuration, storage: await reopen(), reopen, dispose }
    },
    process: ({ url, configuration }) => ({
      entry: new URL('../../../plugins/storage-s3/dist/bundle/index.js', import.meta.url),
      id: 's3',
      url,
      configuration,
    }),
  })
}
