import { describe } from 'vitest'
import { BucketOwner } from '../../plugins/storage-s3/src/testing/bucket-owner.js'
import { openBucket } from '../../plugins/storage-s3/src/testing/open-bucket.js'
import { describeFaults } from './faults/support/describe-faults.js'
import { startRadosgw } from './support/radosgw.js'
import { hasServer } from './support/servers.js'

describe.runIf(hasServer('ceph'))("S3, by Ceph's gateway", () => {
  describeFaults('s3', {
    protocol: 'http',
    async start() {
      const server = await startRadosgw()
      const owner = new BucketOwner(server.endpoint, server.owner)
      const bucket = await owner.makeBucket()
      owner.close()
      const { hostname, port } = new URL(server.endpoint)
      const { accessKeyId, secretAccessKey } = server.owner
      return {
        address: { host: hostname, port: Number(port) },
        open: (address) => {
          const endpoint = `http://${address.host}:${address.port}`
          return openBucket({ url: `s3://${bucket}/place`, secretAccessKey, configuration: { endpoint, accessKeyId } })
        },
        stop: () => server.stop(),
      }
    },
  })
})
