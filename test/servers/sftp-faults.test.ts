import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import type { Storage } from '@bkp/plugin-api'
import { expectPortRejection, randomLikeBytes } from '@bkp/testkit'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type OpenSsh, startOpenSsh } from './support/openssh.js'
import { type BreakingProxy, startProxy } from './support/proxy.js'
import { freePort, hasServer } from './support/servers.js'
import { accessTo, newFolder, openSftp } from './support/sftp.js'

const mebibyte = 1_048_576
const large = randomLikeBytes(64 * mebibyte)
const small = randomLikeBytes(1000, 2)

function filesBelow(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => !entry.isDirectory())
  return files.map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1)).sort()
}

describe.runIf(hasServer('openssh'))('an OpenSSH server on a line that breaks', () => {
  let server: OpenSsh
  let proxy: BreakingProxy
  let root: string
  let storage: Storage

  beforeAll(async () => {
    server = await startOpenSsh()
  })

  afterAll(() => server.stop())

  const open = (options: Readonly<Record<string, unknown>> = {}) =>
    openSftp(`sftp://${server.user}@127.0.0.1:${proxy.port}${root}`, {
      ...accessTo(server),
      acceptNewHostKey: true,
      ...options,
    })

  beforeEach(async () => {
    proxy = await startProxy(server.port)
    root = newFolder(server)
    storage = await open()
  })

  afterEach(async () => {
    await storage.close()
    await proxy.stop()
  })

  it('that is cut in the middle of a put gives transient, and the next call connects anew and clears up', async () => {
    const passed = proxy.passed(10 * mebibyte)
    const putting = expectPortRejection('transient', () => storage.put('packs/ab/object', large))
    await passed
    proxy.cut()
    await putting
    await storage.put('packs/ab/object', small)
    expect(filesBelow(root)).toEqual(['packs/ab/object'])
    expect(Buffer.compare(await storage.get('packs/ab/object'), small)).toBe(0)
  })

  it('that is cut in the middle of a get gives transient, and the next get gives all', async () => {
    await storage.put('packs/ab/object', large)
    const reading = expectPortRejection('transient', () => storage.get('packs/ab/object'))
    const passed = proxy.passed(1000)
    await passed
    proxy.cut()
    await reading
    expect(Buffer.compare(await storage.get('packs/ab/object'), large)).toBe(0)
  })

  it('that is cut fails every call in flight, and no other', async () => {
    const passed = proxy.passed(20 * mebibyte)
    const calls = Array.from({ length: 20 }, (_, n) => storage.put(`packs/${n}`, large.subarray(0, 8 * mebibyte)))
    const outcomes = Promise.allSettled(calls)
    await passed
    proxy.cut()
    for (const outcome of await outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'transient' })
    }
    await Promise.all(Array.from({ length: 20 }, (_, n) => storage.put(`packs/${n}`, small)))
    expect(filesBelow(root)).toHaveLength(20)
  })

  it('whose server is killed and started again gives transient, then offline, then works', async () => {
    const passed = proxy.passed(10 * mebibyte)
    const putting = expectPortRejection('transient', () => storage.put('packs/ab/object', large))
    await passed
    await server.kill()
    await putting
    const direct = openSftp(server.url(root), accessTo(server))
    await expect(direct).rejects.toMatchObject({ code: 'offline' })
    await server.restart()
    await storage.put('packs/ab/object', small)
    expect(filesBelow(root)).toEqual(['packs/ab/object'])
  })

  it('on which nothing comes any more gives transient after the time that was set', async () => {
    const impatient = await open({ deadAfterSeconds: 1 })
    const passed = proxy.passed(5 * mebibyte)
    const begun = performance.now()
    const putting = expectPortRejection('transient', () => impatient.put('packs/ab/object', large))
    await passed
    proxy.stall()
    await putting
    expect(performance.now() - begun).toBeLessThan(20_000)
    proxy.flow()
    await impatient.put('packs/ab/object', small)
    await impatient.close()
  })

  it('at rest for longer than that stays connected', async () => {
    const impatient = await open({ deadAfterSeconds: 1, channels: 1 })
    await impatient.put('one', small)
    await new Promise((resolve) => setTimeout(resolve, 3000))
    const log = server.log().split('Accepted publickey').length
    await impatient.put('two', small)
    expect(server.log().split('Accepted publickey').length).toBe(log)
    await impatient.close()
  })

  it('that stalls does not hold up a call that is aborted, nor the end', async () => {
    const passed = proxy.passed(5 * mebibyte)
    const controller = new AbortController()
    const reason = new Error('enough')
    const putting = storage.put('packs/ab/object', large, { signal: controller.signal })
    const rejected = expect(putting).rejects.toBe(reason)
    await passed
    proxy.stall()
    controller.abort(reason)
    await rejected
    await storage.close()
  })

  it('has nothing left of a put that was aborted, once it is closed', async () => {
    for (const ifAbsent of [false, true]) {
      const passed = proxy.passed(5 * mebibyte)
      const controller = new AbortController()
      const putting = storage.put('packs/ab/object', large, { signal: controller.signal, ifAbsent })
      await passed
      controller.abort(new Error('enough'))
      await expect(putting).rejects.toThrow('enough')
    }
    await storage.close()
    expect(filesBelow(root)).toEqual([])
  })

  it('may be closed with calls in flight, which fail', async () => {
    const passed = proxy.passed(5 * mebibyte)
    const putting = expectPortRejection('transient', () => storage.put('packs/ab/object', large))
    await passed
    await storage.close()
    await putting
    await expectPortRejection('config', () => storage.put('packs/ab/object', small))
  })
})

describe.runIf(hasServer('openssh'))('reaching a server', () => {
  let server: OpenSsh

  beforeAll(async () => {
    server = await startOpenSsh({ lines: ['MaxStartups 1'] })
  })

  afterAll(() => server.stop())

  it('is offline where nobody listens, and where the name is unknown', async () => {
    const port = await freePort()
    await expectPortRejection('offline', () => openSftp(`sftp://x@127.0.0.1:${port}/x`, accessTo(server)))
    await expectPortRejection('offline', () => openSftp('sftp://x@nas.invalid/x', accessTo(server)))
  })

  it('gives up on one that accepts connections and says nothing', async () => {
    const silent = createServer(() => undefined).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const { port } = silent.address() as { port: number }
    const options = { ...accessTo(server), connectTimeoutSeconds: 0.5 }
    await expectPortRejection('transient', () => openSftp(`sftp://x@127.0.0.1:${port}/x`, options))
    silent.close()
  })

  it('makes do with the connections that a server allows', async () => {
    const root = newFolder(server)
    const storage = await openSftp(server.url(root), { ...accessTo(server), channels: 16 })
    const keys = Array.from({ length: 40 }, (_, n) => `packs/${n}`)
    await Promise.all(keys.map((key) => storage.put(key, small)))
    expect(filesBelow(root)).toEqual(keys.sort())
    await storage.close()
  })

  it('does not keep the process alive once the storage is closed', async () => {
    const program = `
      import plugin from ${JSON.stringify(new URL('../../plugins/storage-sftp/dist/bundle/index.js', import.meta.url).href)}
      const [url, configuration] = JSON.parse(process.argv[1])
      const log = { debug() {}, info() {}, warn() {} }
      plugin.activate({ apiVersion: '1.0.0', log, registerStorage: async (id, open) => {
        const storage = await open({ url, configuration, intent: 'open', log })
        await Promise.all(['a', 'b', 'c'].map((key) => storage.put(key, Buffer.from(key))))
        await storage.close()
        console.log(performance.now())
        process.on('exit', () => console.log(performance.now()))
      } })`
    const order = JSON.stringify([server.url(newFolder(server)), accessTo(server)])
    const child = spawn(process.execPath, ['--input-type=module', '-e', program, order], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let said = ''
    child.stdout.on('data', (text) => {
      said += text
    })
    const [code] = await once(child, 'close')
    expect(code).toBe(0)
    const [closedMs = 0, endedMs = Number.NaN] = said.trim().split('\n').map(Number)
    expect(endedMs - closedMs).toBeLessThan(500)
  })
})
