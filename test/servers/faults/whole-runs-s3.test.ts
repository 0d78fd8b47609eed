import { describe } from 'vitest'
import { BucketOwner } from '../../../plugins/storage-s3/src/testing/bucket-owner.js'
import { startRadosgw } from '../support/radosgw.js'
import { hasServer } from '../support/servers.js'
import { describeWholeRuns } from './support/whole-runs.js'

const full =
  '<?xml version="1.0" encoding="UTF-8"?><Error><Code>QuotaExceeded</Code><Message>The bucket is full</Message></Error>'

describe.runIf(hasServer('ceph'))("with Ceph's gateway", () => {
  describeWholeRuns('S3', {
    also: ['away', 'storms', 'http'],
    isListing: ({ url }) => url.includes('list-type=2'),
    // The gateway looks at quotas only now and then.
    full: { status: 403, body: full, matches: ({ method }) => method === 'PUT' || method === 'POST' },
    async start() {
      const server = await startRadosgw()
      const owner = new BucketOwner(server.endpoint, server.owner)
      const bucket = await owner.makeBucket()
      const { hostname, port } = new URL(server.endpoint)
      const address = { host: hostname, port: Number(port) }
      // The guest may what it is allowed to.
      const allow = (...actions: string[]) =>
        owner.setPolicy(bucket, {
          Version: '2012-10-17',
          Statement: [
            {
              Effect: 'Allow',
              Principal: { AWS: ['arn:aws:iam:::user/guest'] },
              Action: actions.map((action) => `s3:${action}`),
              Resource: [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`],
            },
          ],
        })
      const allowAll = () =>
        allow(
          'ListBucket',
          'GetObject',
          'PutObject',
          'DeleteObject',
          'AbortMultipartUpload',
          'ListMultipartUploadParts',
        )
      await allowAll()
      return {
        address,
        env: { FAULTS_S3: server.guest.secretAccessKey },
        writtenPlace(at, place) {
          const { accessKeyId } = server.guest
          const secretAccessKey = 'env:FAULTS_S3'
          const options = { endpoint: `http://${at.host}:${at.port}`, accessKeyId, secretAccessKey, pathStyle: true }
          return { url: `s3://${bucket}/${place}`, options }
        },
        prepare: async () => undefined,
        remove: (place) => owner.empty(bucket, `${place}/`),
        async filesIn(place) {
          const keys = (await owner.versions(bucket, `${place}/`)).map(({ key }) => key.slice(place.length + 1))
          const unfinished = await owner.unfinishedUploads(bucket)
          return [...keys, ...Array.from({ length: unfinished }, () => '@unfinished')]
        },
        revoke: () => allow('ListBucket'),
        allow: allowAll,
        async stop() {
          owner.close()
          await server.stop()
        },
      }
    },
  })
})
