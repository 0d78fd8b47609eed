import { rm } from 'node:fs/promises'
import { describeStorage } from '@bkp/testkit'
import { afterAll, beforeAll, describe } from 'vitest'
import { type OpenSsh, startOpenSsh } from './support/openssh.js'
import { hasServer } from './support/servers.js'
import { accessTo, newFolder, openSftp } from './support/sftp.js'

describe.runIf(hasServer('openssh'))('OpenSSH', () => {
  let server: OpenSsh

  beforeAll(async () => {
    server = await startOpenSsh()
  })

  afterAll(() => server.stop())

  describeStorage('sftp', {
    async open() {
      const root = newFolder(server)
      const reopen = () => openSftp(server.url(root), accessTo(server))
      return { root, storage: await reopen(), reopen, dispose: () => rm(root, { recursive: true }) }
    },
    process: ({ root }) => ({
      entry: new URL('../../plugins/storage-sftp/dist/bundle/index.js', import.meta.url),
      id: 'sftp',
      url: server.url(root),
      configuration: accessTo(server),
    }),
  })
})
