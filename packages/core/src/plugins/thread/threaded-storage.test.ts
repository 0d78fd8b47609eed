import type { Storage } from '@bkp/plugin-api'
import { describeStorage, expectPortRejection } from '@bkp/testkit'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { pluginInThread, quiet, request } from './testing/plugin-in-thread.js'

type InThread = Awaited<ReturnType<typeof pluginInThread>>

// Objects outlive what is opened, by URL.
const inMemory = (capabilities: string) => `
  const places = new Map()
  context.registerStorage('odd', async ({ url }) => {
    if (!places.has(url)) places.set(url, new Map())
    return new InMemoryStorage({ objects: places.get(url), capabilities: ${capabilities} })
  })`

describe.each(['{}', '{ sharedMemory: true }'])('with the capabilities %s', (capabilities) => {
  let plugin: Promise<InThread> | undefined
  let places = 0
  afterAll(async () => (await plugin)?.dispose())
  describeStorage('in the thread of its plugin', {
    async open() {
      plugin ??= pluginInThread(inMemory(capabilities))
      const { code } = await plugin
      const url = `odd://${++places}`
      const reopen = () => code.openStorage('odd', request(url, quiet))
      return { storage: await reopen(), reopen, dispose: async () => undefined }
    },
  })
})

describe('a storage in the thread of its plugin', () => {
  const opened: InThread[] = []
  afterEach(async () => {
    for (const { dispose } of opened.splice(0)) await dispose()
  })

  /** @param members of the storage that differ from one in memory */
  async function storage(members: string): Promise<Storage> {
    const plugin = await pluginInThread(
      `context.registerStorage('odd', async () => Object.assign(new InMemoryStorage(), { ${members} }))`,
    )
    opened.push(plugin)
    return plugin.code.openStorage('odd', request('odd://', quiet))
  }

  it('throws what the plugin threw, with all that core goes by', async () => {
    const error = `new PortError('throttled', 'Too fast', { hint: 'Wait', retryAfterMs: 1234, cause: new Error('503') })`
    const busy = await storage(`async stat() { throw ${error} }`)
    const expected = { code: 'throttled', message: 'Too fast', hint: 'Wait', retryAfterMs: 1234 }
    await expect(busy.stat('a')).rejects.toMatchObject({ ...expected, cause: { message: '503' } })
    await expectPortRejection('throttled', () => busy.stat('a'))
  })

  it('rejects with the reason of an abort itself, when the plugin does', async () => {
    const patient = await storage(
      `stat: (key, { signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))`,
    )
    const reason = new Error('enough')
    const abort = new AbortController()
    const running = patient.stat('a', { signal: abort.signal })
    abort.abort(reason)
    await expect(running).rejects.toBe(reason)
    await expect(patient.stat('a', { signal: abort.signal })).rejects.toBe(reason)
  })

  it('reads straight into shared memory, and copies there what a storage gave of its own', async () => {
    for (const get of ['', `get: async (key, { length }) => new Uint8Array(length).fill(7)`]) {
      const one = await storage(get)
      await one.put('a', new Uint8Array(100).fill(7))
      const into = new Uint8Array(new SharedArrayBuffer(200), 50, 100)
      expect(await one.get('a', { into, length: 100 })).toBe(into)
      expect(Buffer.from(into.buffer).toString('hex')).toBe(`${'00'.repeat(50)}${'07'.repeat(100)}${'00'.repeat(50)}`)
    }
  })

  it('leaves it to others that an answer has another length', async () => {
    const short = await storage(`get: async () => new Uint8Array(3)`)
    const into = new Uint8Array(new SharedArrayBuffer(5))
    expect(await short.get('a', { into, length: 5 })).toHaveLength(3)
  })

  it('keeps what was put as it was, whatever becomes of the memory', async () => {
    const one = await storage('')
    const bytes = new Uint8Array(3_000_000).fill(1)
    const puts = [1, 2, 3, 4, 5, 6].map((value) =>
      one.put(
        `key${value}`,
        bytes.map(() => value),
      ),
    )
    await Promise.all(puts)
    await one.put('small', Buffer.from('small'))
    for (const value of [1, 2, 3, 4, 5, 6]) {
      const stored = await one.get(`key${value}`)
      expect(stored).toHaveLength(bytes.length)
      expect(stored.every((byte) => byte === value)).toBe(true)
    }
    expect(bytes).toHaveLength(3_000_000)
  })

  it('ends a list in the plugin when nobody wants the rest', async () => {
    const endless = await storage(`async *list(prefix, { signal }) {
      try { for (let n = 0; ; n++) yield { key: String(n), sizeBytes: n, more: () => n } }
      finally { this.isOver = signal.aborted }
    }, async stat(key) { return { key, sizeBytes: this.isOver ? 1 : 0 } }`)
    for await (const { key } of endless.list('')) if (key === '1500') break
    expect(await endless.stat('')).toEqual({ key: '', sizeBytes: 1 })
  })

  it('tells the clock of the far side, if the plugin does', async () => {
    expect((await storage('')).now).toBeUndefined()
    expect(await (await storage('now: async () => 1234')).now?.()).toBe(1234)
  })

  it.each([
    ['no bytes', `get: async () => 'text'`, 'get of its storage gave no bytes'],
    ['a fault', `get: async () => { throw new TypeError('odd') }`, 'odd'],
  ])('names the plugin that gives %s', async (_, members, reason) => {
    const one = await storage(members)
    const message = `The plugin bkp-odd failed: ${reason}`
    await expect(one.get('a')).rejects.toMatchObject({ code: 'plugin-failed', message })
  })
})
