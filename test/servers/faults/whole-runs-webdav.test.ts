import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe } from 'vitest'
import { filesIn } from '../../support/damage-folder.js'
import { ownsMachine } from '../../support/machine.js'
import { fillMemory, mountMemory, resizeMemory, unmountInUse } from '../../support/mounts.js'
import { startApache } from '../support/apache.js'
import { hasServer } from '../support/servers.js'
import { describeWholeRuns } from './support/whole-runs.js'

const largeMiB = 400
const login = { scheme: 'basic', username: 'ann', password: 'a-webdav-password' } as const

describe.runIf(hasServer('apache') && ownsMachine)('with Apache', () => {
  describeWholeRuns('WebDAV', {
    also: [],
    async start() {
      const server = await startApache({ login })
      const folderOf = (place: string) => join(server.documents, place)
      const users = join(dirname(server.documents), 'users')
      const allowed = readFileSync(users)
      return {
        address: { host: '127.0.0.1', port: server.port },
        env: { FAULTS_WEBDAV: login.password },
        writtenPlace: ({ host, port }, place) => ({
          url: `webdav://${host}:${port}/${place}`,
          options: { username: login.username, password: 'env:FAULTS_WEBDAV' },
        }),
        async prepare(place) {
          mountMemory(folderOf(place), largeMiB)
          chmodSync(folderOf(place), 0o777)
        },
        remove: async (place) => unmountInUse(folderOf(place)),
        filesIn: async (place) => filesIn(folderOf(place)).map((path) => path.slice(folderOf(place).length + 1)),
        process: server,
        leftByKilledServer: /(^|\/)\.davfs\.tmp[^/]*$/,
        revoke: async () => writeFileSync(users, ''),
        allow: async () => writeFileSync(users, allowed),
        room: {
          end: async (place) => fillMemory(folderOf(place)),
          make: async (place) => resizeMemory(folderOf(place), largeMiB),
        },
        stop: () => server.stop(),
      }
    },
  })
})
