import { afterAll, beforeAll, describe } from 'vitest'
import { startApache } from './support/apache.js'
import { hasServer } from './support/servers.js'
import type { WebServer } from './support/web-server.js'
import { describeWebdav } from './support/webdav.js'

describe.runIf(hasServer('apache'))('WebDAV by Apache', () => {
  let server: WebServer
  beforeAll(async () => {
    server = await startApache()
  })
  afterAll(() => server.stop())

  describeWebdav('Apache', { server: () => server, process: 'killed-writers' })
})
