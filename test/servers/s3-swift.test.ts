import { describeStorage } from '@bkp/testkit'
import { afterAll, beforeAll, describe, vi } from 'vitest'
import { BucketOwner } from '../../plugins/storage-s3/src/testing/bucket-owner.js'
import { openBucket } from '../../plugins/storage-s3/src/testing/open-bucket.js'
import { hasServer } from './support/servers.js'
import { type Swift, startSwift } from './support/swift.js'

// Every object is several requests and files of a server in Python.
vi.setConfig({ testTimeout: 400_000 })

describe.runIf(hasServer('swift'))('S3, by OpenStack Swift', () => {
  let server: Swift
  let owner: BucketOwner
  let bucket: string
  let places = 0

  beforeAll(async () => {
    server = await startSwift()
    owner = new BucketOwner(server.endpoint, server.owner)
    bucket = await owner.makeBucket()
    // For the processes that the suite kills: their order is JSON, which holds no secret.
    process.env.AWS_ACCESS_KEY_ID = server.owner.accessKeyId
    process.env.AWS_SECRET_ACCESS_KEY = server.owner.secretAccessKey
  })
  afterAll(async () => {
    delete process.env.AWS_ACCESS_KEY_ID
    delete process.env.AWS_SECRET_ACCESS_KEY
    owner?.close()
    await server?.stop()
  })

  // As a user has it who tells nothing about the server: that it knows no conditional put, bkp finds out by itself.
  describeStorage('s3', {
    async open() {
      const prefix = `place-${places++}`
      const url = `s3://${bucket}/${prefix}`
      const configuration = { endpoint: server.endpoint }
      const reopen = () => openBucket({ url, configuration })
      const dispose = () => owner.empty(bucket, `${prefix}/`)
      return { url, configuration, storage: await reopen(), reopen, dispose }
    },
    process: ({ url, configuration }) => ({
      entry: new URL('../../plugins/storage-s3/dist/index.js', import.meta.url),
      id: 's3',
      url,
      configuration,
    }),
  })
})
