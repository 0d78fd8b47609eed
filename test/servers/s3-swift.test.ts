import { describe, vi } from 'vitest'
import { describeS3Server } from './support/describe-s3-server.js'
import { hasServer } from './support/servers.js'
import { startSwift } from './support/swift.js'

// Every object is several requests and files of a server in Python.
vi.setConfig({ testTimeout: 400_000 })

describe.runIf(hasServer('swift'))('S3, by OpenStack Swift', () => {
  // As a user has it who tells nothing about the server: that it knows no conditional put, bkp finds out by itself.
  describeS3Server(startSwift)
})
