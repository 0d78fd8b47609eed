import { describe } from 'vitest'
import { describeS3Server } from './support/describe-s3-server.js'
import { startRadosgw } from './support/radosgw.js'
import { hasServer } from './support/servers.js'

describe.runIf(hasServer('ceph'))("S3, by Ceph's gateway", () => {
  describeS3Server(startRadosgw, { conditionalCreate: 'yes' })
})
