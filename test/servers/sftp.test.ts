import { readdirSync, rmSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { describeStorage } from '@bkp/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type OpenSsh, startOpenSsh } from './support/openssh.js'
import { hasServer } from './support/servers.js'
import { accessTo, newFolder, openSftp } from './support/sftp.js'

describe.runIf(hasServer('openssh'))('OpenSSH', () => {
  let server: OpenSsh

  beforeAll(async () => {
    server = await startOpenSsh()
  })

  afterAll(() => server.stop())

  it('is left as it was by who removes again what it stored, and keeps folders that were there or are in use', async () => {
    const root = newFolder(server)
    const open = () => openSftp(server.url(root), accessTo(server))
    const bytes = Buffer.from('an object')
    const [first, second] = [await open(), await open()]
    await first.put('sessions/ab', bytes)
    await second.put('sessions/cd', bytes)
    await first.remove('sessions/ab')
    await first.close()
    expect(readdirSync(root).sort()).toEqual(['@tmp', 'sessions'])
    const third = await open()
    await third.put('packs/ab', bytes)
    await third.remove('packs/ab')
    await third.close()
    expect(readdirSync(root).sort()).toEqual(['@tmp', 'sessions'])
    rmSync(join(root, 'sessions'), { recursive: true })
    rmSync(join(root, '@tmp'), { recursive: true })
    const fourth = await open()
    await fourth.put('sessions/ab', bytes)
    await fourth.remove('sessions/ab')
    await fourth.close()
    expect(readdirSync(root)).toEqual([])
    // Who knew the folders makes them again.
    await second.put('sessions/ef', bytes)
    expect(readdirSync(join(root, 'sessions'))).toEqual(['ef'])
    await second.close()
  })

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
