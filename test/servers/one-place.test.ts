import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { filesIn } from '../support/damage-folder.js'
import { bkp } from '../support/run-bkp.js'
import { startApache } from './support/apache.js'
import { startOpenSsh } from './support/openssh.js'
import { hasServer } from './support/servers.js'

/** A place on a server, and other names that it has. */
interface Named {
  readonly url: string
  readonly others: readonly string[]
  readonly folder: string
  stop(): Promise<void>
}

async function onOpenSsh(): Promise<Named> {
  const server = await startOpenSsh()
  const folder = join(server.folder, 'repository')
  mkdirSync(folder)
  symlinkSync(folder, join(server.folder, 'link'))
  const { privateKey, knownHosts } = server
  const query = new URLSearchParams({ privateKey, knownHosts, sshConfig: '/dev/null', agent: 'none' })
  const at = (path: string) => `${server.url(path)}?${query}`
  const ofOtherHost = at(folder).replace('@127.0.0.1:', '@localhost:')
  return {
    url: at(folder),
    others: [at(join(server.folder, 'link')), `${ofOtherHost}&acceptNewHostKey=true`, folder],
    folder,
    stop: () => server.stop(),
  }
}

async function onApache(): Promise<Named> {
  const server = await startApache()
  const url = `webdav://127.0.0.1:${server.port}/repository`
  const folder = join(server.documents, 'repository')
  return { url, others: [url.replace('127.0.0.1', 'localhost')], folder, stop: () => server.stop() }
}

const servers = [
  { name: 'OpenSSH', start: onOpenSsh, isThere: hasServer('openssh') },
  { name: 'Apache', start: onApache, isThere: hasServer('apache') },
]

describe.each(servers.filter(({ isThere }) => isThere))('one place on $name under two names', ({ start }) => {
  let work: string
  let place: Named

  beforeAll(async () => {
    work = mkdtempSync(join(tmpdir(), 'bkp-one-place-'))
    mkdirSync(join(work, 'source'))
    writeFileSync(join(work, 'source', 'file'), 'content')
    place = await start()
    expect((await bkp(['init', '--to', place.url])).code).toBe(0)
  })
  afterAll(async () => {
    await place.stop()
    rmSync(work, { recursive: true })
  })

  it('is refused as a second destination of a backup and of a sync, and nothing is stored', async () => {
    const before = filesIn(place.folder)
    for (const other of place.others) {
      for (const line of [
        ['backup', join(work, 'source'), '--to', place.url, '--to', other],
        ['sync', '--from', place.url, '--to', other],
      ]) {
        const ran = await bkp(line)
        expect({ code: ran.code, said: ran.stderr }).toMatchObject({
          code: 2,
          said: expect.stringMatching(/ and .* are the same place/),
        })
      }
    }
    expect(filesIn(place.folder)).toEqual(before)
  })
})
