import { startB2StandIn } from '../../b2-stand-in/index.js'
import { openB2 } from '../b2/open.js'
import { describeFaults } from './support/describe-faults.js'

// Against a stand-in written from B2's documentation: there is no server of B2 to install.
describeFaults('B2', {
  protocol: 'http',
  async start() {
    const standIn = await startB2StandIn()
    const { hostname, port } = new URL(standIn.realmUrl)
    return {
      address: { host: hostname, port: Number(port) },
      open: (at) => openB2(standIn, { configuration: { realmUrl: `http://${at.host}:${at.port}` } }),
      stop: () => standIn.close(),
    }
  },
})
