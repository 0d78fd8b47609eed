import { spawn } from 'node:child_process'
import { getEventListeners, once } from 'node:events'
import type { CallOptions, Storage } from '@bkp/plugin-api'
import { describe, expect, it } from 'vitest'
import { type Intercept, withFake } from './testing/fake-webdav.js'
import { listed } from './testing/outcomes.js'

const reason = new Error('the user pressed Ctrl-C')
const large = new Uint8Array(30_000_000)
const calls: Readonly<Record<string, (storage: Storage, options: CallOptions) => Promise<unknown>>> = {
  put: (storage, options) => storage.put('packs/aa/new', large, options),
  'put that must not replace': (storage, options) => storage.put('new', large, { ...options, ifAbsent: true }),
  get: (storage, options) => storage.get('old', options),
  'get of a range': (storage, options) => storage.get('old', { ...options, offset: 1, length: 5 }),
  stat: (storage, options) => storage.stat('old', options),
  list: async (storage, options) => {
    for await (const { key } of storage.list('', options)) expect(key).not.toBe('')
  },
  remove: (storage, options) => storage.remove('old', options),
}

const ways: Readonly<Record<string, Intercept>> = {
  'never answers': () => true,
  'begins an answer and never ends it': ({ method }, response) => {
    response.writeHead(method === 'PROPFIND' ? 207 : 200, { 'Content-Length': 1000 }).write('<multi')
    return true
  },
}

describe.each(Object.entries(ways))('a server that %s', (_name, intercept) => {
  it.each(Object.entries(calls))('cannot hold back a %s that is stopped', (_call, call) =>
    withFake(async (fake) => {
      const storage = await fake.open()
      await storage.put('old', Buffer.from('old object'))
      const controller = new AbortController()
      const asked = new Promise<void>((resolve) => {
        fake.intercept = (request, response) => {
          resolve()
          return intercept(request, response)
        }
      })
      const calling = call(storage, { signal: controller.signal }).catch((error: unknown) => error)
      await asked
      const before = performance.now()
      controller.abort(reason)
      expect(await calling).toBe(reason)
      expect(performance.now() - before).toBeLessThan(500)
      fake.intercept = () => false
      expect(await listed(storage)).toContain('old')
    }),
  )
})

describe('a signal', () => {
  it('may be shared by any number of calls: node warns of nothing, and no listener stays', () =>
    withFake(async (fake) => {
      const warnings: Error[] = []
      const warn = (warning: Error) => warnings.push(warning)
      process.on('warning', warn)
      const storage = await fake.open()
      const { signal } = new AbortController()
      const keys = Array.from({ length: 40 }, (_, n) => `packs/a${n}/${n}`)
      await Promise.all(keys.map((key) => storage.put(key, Buffer.from(key), { signal })))
      await Promise.all(keys.map((key) => storage.get(key, { signal })))
      for await (const { key } of storage.list('', { signal })) expect(keys).toContain(key)
      // Warnings are told a turn later.
      await new Promise((resolve) => setImmediate(resolve))
      process.off('warning', warn)
      expect(warnings).toEqual([])
      expect(getEventListeners(signal, 'abort')).toEqual([])
    }))
})

describe('a process', () => {
  it('ends by itself, also when it does not close the storage', () =>
    withFake(async (fake) => {
      const program = `
        const { default: plugin } = await import(${JSON.stringify(new URL('../dist/bundle/index.js', import.meta.url).href)})
        const log = { debug() {}, info() {}, warn() {} }
        let open
        await plugin.activate({ apiVersion: '1.0.0', log, registerStorage: (_, factory) => { open = factory } })
        const storage = await open({ url: ${JSON.stringify(fake.url)}, configuration: {}, intent: 'open', log })
        await storage.put('bkp.json', Buffer.from('x'))
        await storage.get('bkp.json')
        console.log('done')`
      const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      let said = ''
      child.stdout.on('data', (text) => {
        said += text
      })
      const [code] = (await once(child, 'close')) as [number]
      expect([code, said]).toEqual([0, 'done\n'])
    }))
})
