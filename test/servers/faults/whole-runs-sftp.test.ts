import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe } from 'vitest'
import { filesIn } from '../../support/damage-folder.js'
import { ownsMachine } from '../../support/machine.js'
import { fillMemory, mountMemory, resizeMemory, unmountInUse } from '../../support/mounts.js'
import { startOpenSsh } from '../support/openssh.js'
import { hasServer } from '../support/servers.js'
import { accessTo } from '../support/sftp.js'
import { describeWholeRuns } from './support/whole-runs.js'

const largeMiB = 400

describe.runIf(hasServer('openssh') && ownsMachine)('with OpenSSH', () => {
  describeWholeRuns('SFTP', {
    also: ['core', 'away'],
    async start() {
      const server = await startOpenSsh()
      const allowed = readFileSync(server.authorizedKeys)
      const folderOf = (place: string) => join(server.folder, place)
      return {
        address: { host: '127.0.0.1', port: server.port },
        env: {},
        writtenPlace({ host, port }, place) {
          // A proxy has a port of its own, and shows the server's key all the same.
          const knownHosts = join(server.folder, `known_hosts_${port}`)
          writeFileSync(knownHosts, `[${host}]:${port} ${readFileSync(server.hostKey, 'utf8')}`)
          const url = `sftp://${server.user}@${host}:${port}${folderOf(place)}`
          return { url, options: { ...accessTo(server), knownHosts } }
        },
        prepare: async (place) => mountMemory(folderOf(place), largeMiB),
        remove: async (place) => unmountInUse(folderOf(place)),
        filesIn: async (place) => filesIn(folderOf(place)).map((path) => path.slice(folderOf(place).length + 1)),
        process: server,
        revoke: async () => writeFileSync(server.authorizedKeys, ''),
        allow: async () => writeFileSync(server.authorizedKeys, allowed),
        room: {
          end: async (place) => fillMemory(folderOf(place)),
          make: async (place) => resizeMemory(folderOf(place), largeMiB),
        },
        stop: () => server.stop(),
      }
    },
  })
})
