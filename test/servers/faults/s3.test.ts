import { describe } from 'vitest'
import { BucketOwner } from '../../../plugins/storage-s3/src/testing/bucket-owner.js'
import { openBucket } from '../../../plugins/storage-s3/src/testing/open-bucket.js'
import { startRadosgw } from '../support/radosgw.js'
import { hasServer } from '../support/servers.js'
import { describeFaults } from './support/describe-faults.js'

describe.runIf(hasServer('ceph'))("with Ceph's gateway", () => {
  describeFaults('S3', {
    protocol: 'http',
    async start() {
      const server = await startRadosgw()
      const { accessKeyId, secretAccessKey } = server.owner
      const owner = new BucketOwner(server.endpoint, server.owner)
      const bucket = await owner.makeBucket()
      owner.close()
      const { hostname, port } = new URL(server.endpoint)
      return {
        address: { host: hostname, port: Number(port) },
        open: (at) => {
          const configuration = { endpoint: `http://${at.host}:${at.port}`, accessKeyId, pathStyle: true }
          return openBucket({ url: `s3://${bucket}/faults`, secretAccessKey, configuration })
        },
        stop: () => server.stop(),
      }
    },
  })
})
