import { randomFillSync } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startFaultProxy } from '@bkp/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ownsMachine } from '../../support/machine.js'
import { mountMemory, unmount } from '../../support/mounts.js'
import { reportOf } from '../../support/outcomes.js'
import { bkp } from '../../support/run-bkp.js'
import { type OpenSsh, startOpenSsh } from '../support/openssh.js'
import { hasServer } from '../support/servers.js'
import { accessTo } from '../support/sftp.js'

const fileBytes = 2 ** 26
const files = 8
const mostMemoryMiB = 500
/** Tells the most memory that the process ever had, in KiB; threads tell it too, before. */
const peakTold = `--import data:text/javascript,${encodeURIComponent(
  "import fs from 'node:fs'; process.on('exit', () => fs.writeFileSync(process.env.BKP_TEST_PEAK, String(process.resourceUsage().maxRSS)))",
)}`

// A busy machine takes minutes for what takes half a minute.
describe.runIf(hasServer('openssh') && ownsMachine)('the memory of a backup of 512 MiB', { timeout: 400_000 }, () => {
  let server: OpenSsh
  const work = mkdtempSync(join(tmpdir(), 'bkp-memory-'))
  const at = (...names: string[]) => join(work, ...names)
  const env = { BKP_CACHE_DIR: at('cache'), BKP_TEST_PEAK: at('peak'), NODE_OPTIONS: peakTold }

  beforeAll(async () => {
    server = await startOpenSsh()
    // Disks of test machines differ; what is tried here is a network that is slower than all of them.
    mountMemory(work, 3000)
    mkdirSync(at('source'))
    for (let n = 0; n < files; n++) writeFileSync(at('source', `${n}`), randomFillSync(new Uint8Array(fileBytes)))
  })
  beforeEach(() => {
    for (const name of ['near', 'far', 'farther']) rmSync(at(name), { recursive: true, force: true })
    for (const name of ['far', 'farther']) mkdirSync(at(name))
  })
  afterAll(async () => {
    await server?.stop()
    unmount(work)
    rmSync(work, { recursive: true, force: true })
  })

  /** The server's folder of that name, through a port. */
  function destination(name: string, port: number) {
    const knownHosts = join(server.folder, `known_hosts_${port}`)
    writeFileSync(knownHosts, `[127.0.0.1]:${port} ${readFileSync(server.hostKey, 'utf8')}`)
    const patience = { callSeconds: 30, slowest: '1M', retrySeconds: 0 }
    const url = `sftp://${server.user}@127.0.0.1:${port}${at(name)}`
    return { url, options: { ...accessTo(server), knownHosts }, patience }
  }

  async function backUp(destinations: object, code: number): Promise<void> {
    writeFileSync(at('config.yaml'), JSON.stringify({ version: 1, repositories: { all: { destinations } } }))
    const ran = await bkp(['backup', at('source'), '--config', at('config.yaml'), '--json'], { env })
    reportOf(ran, code)
    const peakMiB = Number(readFileSync(at('peak'), 'utf8')) / 1024
    expect(peakMiB).toBeGreaterThan(50)
    expect(peakMiB).toBeLessThan(mostMemoryMiB)
  }

  async function create(...places: string[]): Promise<void> {
    const ran = await bkp(['init', ...places.flatMap((place) => ['--to', at(place)])])
    expect(ran.code).toBe(0)
  }

  it('stays small with a local disk and a destination that stalls', async () => {
    await create('near', 'far')
    const proxy = await startFaultProxy({ target: { host: '127.0.0.1', port: server.port } })
    proxy.add({ kind: 'stall', direction: 'up', afterBytes: 2 ** 25 })
    await backUp({ near: at('near'), far: destination('far', proxy.port) }, 4)
    expect(proxy.counts.stalls).toBeGreaterThan(0)
    await proxy.close()
  })

  it('stays small with two slow destinations', async () => {
    await create('far', 'farther')
    const proxies = [40, 60].map(async (mibPerSecond) => {
      const proxy = await startFaultProxy({ target: { host: '127.0.0.1', port: server.port } })
      proxy.add({ kind: 'throttle', bytesPerSecond: mibPerSecond * 2 ** 20 })
      return proxy
    })
    const [slow, faster] = await Promise.all(proxies)
    if (slow === undefined || faster === undefined) throw new Error('There are two proxies')
    await backUp({ far: destination('far', slow.port), farther: destination('farther', faster.port) }, 0)
    await slow.close()
    await faster.close()
  })
})
