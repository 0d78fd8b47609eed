import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { filesIn } from '../support/damage-folder.js'
import { bkp } from '../support/run-bkp.js'
import { expectSameTree } from '../support/same-tree.js'
import { noise } from '../support/torture-tree.js'
import { type OpenSsh, startOpenSsh } from './support/openssh.js'
import { hasServer } from './support/servers.js'

describe.runIf(hasServer('openssh'))('packs that are lost on a network', () => {
  let work: string
  let server: OpenSsh
  let source: string
  let number = 0

  beforeAll(async () => {
    work = mkdtempSync(join(tmpdir(), 'bkp-lost-far-'))
    source = join(work, 'source')
    mkdirSync(source)
    writeFileSync(join(source, 'large'), noise(5_000_000, 1))
    writeFileSync(join(source, 'small'), 'a few bytes')
    server = await startOpenSsh()
  })
  beforeEach(() => {
    number++
  })
  afterAll(async () => {
    await server.stop()
    rmSync(work, { recursive: true })
  })

  const near = () => join(work, `near-${number}`)
  const folder = () => join(server.folder, `far-${number}`)
  const far = () => {
    const { privateKey, knownHosts } = server
    const query = new URLSearchParams({ privateKey, knownHosts, sshConfig: '/dev/null', agent: 'none' })
    return `${server.url(folder())}?${query}`
  }
  const ok = async (...args: string[]) => {
    const result = await bkp(args)
    expect(result, result.stderr).toMatchObject({ code: 0 })
    return result.stdout + result.stderr
  }
  const loseOne = () => {
    const packs = filesIn(join(folder(), 'packs'))
    const [largest] = packs.sort((a, b) => statSync(b).size - statSync(a).size)
    rmSync(largest as string)
  }

  it('are looked for where everything is read again, and stored anew', async () => {
    await ok('init', '--to', far())
    await ok('backup', source, '--to', far())
    loseOne()
    expect(await ok('backup', source, '--to', far())).not.toContain('lost')
    expect(await ok('backup', source, '--to', far(), '--force')).toContain('1 pack is lost or cut short')
    await ok('check', '--from', far(), '--read-data')
    await ok('restore', `latest:${source}`, '--from', far(), '--target', join(work, 'restored'))
    await expectSameTree(source, join(work, 'restored'))
  })

  it('are brought there from a replica', async () => {
    const both = ['--to', near(), '--to', far()]
    await ok('init', ...both)
    await ok('backup', source, ...both)
    loseOne()
    expect(await ok('backup', source, ...both, '--force')).toContain('1 object of them from earlier runs')
    await ok('check', '--from', far(), '--read-data')
  })
})
