import { describe } from 'vitest'
import { startApache } from '../support/apache.js'
import { hasServer } from '../support/servers.js'
import { openWebdav } from '../support/webdav.js'
import { describeFaults } from './support/describe-faults.js'

describe.runIf(hasServer('apache'))('with Apache', () => {
  describeFaults('WebDAV', {
    protocol: 'http',
    async start() {
      const server = await startApache()
      const address = { host: '127.0.0.1', port: server.port }
      const urlAt = ({ host, port }: typeof address) => `webdav://${host}:${port}/faults`
      await (await openWebdav(urlAt(address), {}, 'create')).close()
      return { address, open: (at) => openWebdav(urlAt(at)), stop: () => server.stop() }
    },
  })
})
