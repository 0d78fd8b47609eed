import { expectPortRejection, randomLikeBytes } from '@bkp/testkit'
import { describe, expect, it } from 'vitest'
import type { FakeWebdav, Intercept } from './testing/fake-webdav.js'
import { withFake } from './testing/fake-webdav.js'
import { listed } from './testing/outcomes.js'

const bytes = Buffer.from(randomLikeBytes(5000))
const refuse =
  (method: string, status: number): Intercept =>
  (request, response) => {
    if (request.method !== method) return false
    response.writeHead(status).end()
    return true
  }

/** Everything that is stored, temporary files and claims as well. */
function stored(fake: FakeWebdav): string[] {
  const claims = [...fake.collections].filter((one) => one.includes('claim'))
  return [...fake.files.keys(), ...claims].sort()
}

describe('publication', () => {
  it('uploads under a name that no key can have, then renames', () =>
    withFake(async (fake) => {
      const storage = await fake.open()
      await storage.put('packs/ab/one', bytes)
      const puts = fake.seen.filter(({ method }) => method === 'PUT')
      expect(puts.map(({ path }) => path.startsWith('/r/@tmp/'))).toEqual([true])
      expect(stored(fake)).toEqual(['/r/packs/ab/one'])
    }))

  it('removes at the end what it could not remove while the server was away', () =>
    withFake(async (fake) => {
      const storage = await fake.open()
      // It knows by then that this server can rename.
      await storage.put('packs/ab/one', bytes)
      fake.intercept = ({ method }, response) => {
        if (method !== 'MOVE' && method !== 'DELETE') return false
        response.writeHead(503).end()
        return true
      }
      await expectPortRejection('throttled', () => storage.put('packs/ab/two', bytes))
      expect(stored(fake)).toHaveLength(2)
      fake.intercept = () => false
      await storage.close()
      expect(stored(fake)).toEqual(['/r/packs/ab/one'])
    }))

  it.each([403, 405, 501])('uploads in place where renaming is refused by %i, and leaves nothing else', (status) =>
    withFake(async (fake) => {
      fake.intercept = refuse('MOVE', status)
      const storage = await fake.open()
      await storage.put('packs/ab/one', bytes)
      await storage.put('bkp.json', bytes, { ifAbsent: true })
      await expectPortRejection('already-exists', () => storage.put('bkp.json', bytes, { ifAbsent: true }))
      expect(fake.seen.filter(({ method }) => method === 'MOVE')).toHaveLength(1)
      expect(stored(fake)).toEqual(['/r/bkp.json', '/r/packs/ab/one'])
    }),
  )

  it('tells the place by its path where a proxy changes the host', () =>
    withFake(async (fake) => {
      fake.intercept = ({ method, headers }, response) => {
        if (method !== 'MOVE' || String(headers.destination).startsWith('/')) return false
        response.writeHead(502).end()
        return true
      }
      const storage = await fake.open()
      await storage.put('packs/ab/one', bytes)
      expect(fake.seen.filter(({ method }) => method === 'MOVE')).toHaveLength(5)
      expect(stored(fake)).toEqual(['/r/packs/ab/one'])
    }))

  it.each([2, 3])('does not keep what it found out while a gateway answered %i times for the server', (failures) =>
    withFake(async (fake) => {
      let left = failures
      let refused = 0
      fake.intercept = ({ method, headers, path }, response) => {
        if (method !== 'MOVE') return false
        // As Apache: what is missing is found to be missing before the destination is looked at.
        const isByPath = String(headers.destination).startsWith('/') && fake.files.has(path)
        if (left-- <= 0 && !isByPath) return false
        if (isByPath) refused++
        response.writeHead(isByPath ? 400 : 502).end()
        return true
      }
      const storage = await fake.open()
      if (failures === 3) await expectPortRejection('transient', () => storage.put('packs/ab/one', bytes))
      await storage.put('packs/ab/one', bytes)
      expect(refused).toBe(failures === 3 ? 1 : 0)
      expect(stored(fake)).toEqual(['/r/packs/ab/one'])
    }),
  )

  it('never takes a folder for an object, and never away', () =>
    withFake(async (fake) => {
      const storage = await fake.open()
      await storage.put('packs/ab/one', bytes)
      await expectPortRejection('unsupported', () => storage.put('packs/ab', bytes))
      await storage.remove('packs')
      expect(await listed(storage)).toEqual(['packs/ab/one'])
      expect(stored(fake)).toEqual(['/r/packs/ab/one'])
    }))

  it.each([
    ['PUT', 507],
    ['MOVE', 507],
    ['MOVE', 423],
  ])('leaves nothing behind when %s fails by %i', (method, status) =>
    withFake(async (fake) => {
      const storage = await fake.open()
      await storage.put('packs/ab/one', bytes)
      fake.intercept = refuse(method, status)
      const code = status === 507 ? 'quota' : 'transient'
      await expectPortRejection(code, () => storage.put('packs/ab/two', bytes))
      await expectPortRejection(code, () => storage.put('packs/ab/three', bytes, { ifAbsent: true }))
      expect(stored(fake)).toEqual(['/r/packs/ab/one'])
    }),
  )

  it('takes up its own claim again that it could not give back, and waits for that of another', () =>
    withFake(async (fake) => {
      const storage = await fake.open()
      const other = await fake.open()
      await storage.put('packs/ab/one', bytes)
      fake.intercept = ({ method }, response) => {
        if (method !== 'MOVE' && method !== 'DELETE') return false
        response.socket?.destroy()
        return true
      }
      await expectPortRejection('transient', () => storage.put('bkp.json', bytes, { ifAbsent: true }))
      fake.intercept = () => false
      const stopped = new Error('stopped')
      await expect(other.put('bkp.json', bytes, { ifAbsent: true, signal: abortedAfter(300, stopped) })).rejects.toBe(
        stopped,
      )
      await storage.put('bkp.json', bytes, { ifAbsent: true })
      await expectPortRejection('already-exists', () => other.put('bkp.json', bytes, { ifAbsent: true }))
    }))

  it('of a put that is stopped is cleared away before close ends', () =>
    withFake(async (fake) => {
      const storage = await fake.open()
      await storage.put('packs/ab/one', bytes)
      const controller = new AbortController()
      fake.intercept = ({ method }) => {
        if (method === 'MOVE') controller.abort(new Error('stopped'))
        return method === 'MOVE'
      }
      await expect(storage.put('packs/ab/two', bytes, { signal: controller.signal })).rejects.toThrow('stopped')
      await storage.close()
      expect(stored(fake)).toEqual(['/r/packs/ab/one'])
    }))

  it('makes folders again that others have removed, and never a root that is gone', () =>
    withFake(async (fake) => {
      const storage = await fake.open()
      await storage.put('packs/ab/one', bytes)
      fake.files.clear()
      for (const path of ['/r/packs/', '/r/packs/ab/', '/r/@tmp/']) fake.collections.delete(path)
      await storage.put('packs/ab/two', bytes)
      expect(await listed(storage)).toEqual(['packs/ab/two'])
      for (const path of ['/r/', '/r/packs/', '/r/packs/ab/', '/r/@tmp/']) fake.collections.delete(path)
      await expectPortRejection('not-found', () => storage.put('packs/ab/three', bytes))
      expect(fake.collections.has('/r/')).toBe(false)
    }))

  it('makes the root with what is above it, asking nothing above what is there', () =>
    withFake(async (fake) => {
      fake.collections.delete('/r/')
      await expectPortRejection('not-found', () => fake.open())
      const storage = await fake.open({}, 'create')
      await storage.put('bkp.json', bytes)
      expect(stored(fake)).toEqual(['/r/bkp.json'])
    }))
})

function abortedAfter(delayMs: number, reason: Error): AbortSignal {
  const controller = new AbortController()
  setTimeout(() => controller.abort(reason), delayMs)
  return controller.signal
}
