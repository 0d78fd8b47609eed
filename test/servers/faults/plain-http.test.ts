import { describeFaults } from './support/describe-faults.js'
import { PlainHttpServer } from './support/plain-http-server.js'
import { PlainHttpStorage } from './support/plain-http-storage.js'

// Needs no server of others: shows that what core puts around a storage, and the suite itself, do what they should.
describeFaults('a plain HTTP storage', {
  protocol: 'http',
  async start() {
    const server = new PlainHttpServer()
    await server.start()
    return {
      address: server.address,
      open: async (address) => new PlainHttpStorage(address),
      stop: () => server.stop(),
    }
  },
})
