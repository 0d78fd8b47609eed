import { afterAll, beforeAll, describe } from 'vitest'
import { startNginx } from './support/nginx.js'
import { hasServer } from './support/servers.js'
import type { WebServer } from './support/web-server.js'
import { describeWebdav } from './support/webdav.js'

describe.runIf(hasServer('nginx'))('WebDAV by nginx', () => {
  let server: WebServer
  beforeAll(async () => {
    server = await startNginx()
  })
  afterAll(() => server.stop())

  describeWebdav('nginx', { server: () => server, process: 'killed-writers' })
})
