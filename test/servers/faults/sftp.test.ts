import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe } from 'vitest'
import { type OpenSsh, startOpenSsh } from '../support/openssh.js'
import { hasServer } from '../support/servers.js'
import { accessTo, newFolder, openSftp } from '../support/sftp.js'
import { describeFaults } from './support/describe-faults.js'
import type { Address } from './support/fault-target.js'

describe.runIf(hasServer('openssh'))('with OpenSSH', () => {
  describeFaults('SFTP', {
    protocol: 'other',
    async start() {
      const server = await startOpenSsh()
      const folder = newFolder(server)
      return {
        address: { host: '127.0.0.1', port: server.port },
        open: (at) => openSftp(`sftp://${server.user}@${at.host}:${at.port}${folder}`, accessAt(server, at)),
        stop: () => server.stop(),
      }
    },
  })
})

/** A proxy has a port of its own, and shows the server's key all the same. */
function accessAt(server: OpenSsh, { host, port }: Address) {
  const knownHosts = join(server.folder, `known_hosts_${host}_${port}`)
  writeFileSync(knownHosts, `[${host}]:${port} ${readFileSync(server.hostKey, 'utf8')}`)
  return { ...accessTo(server), knownHosts }
}
