import { setImmediate as nextTurn } from 'node:timers/promises'
import type { StoredObject } from '@bkp/plugin-api'
import { describe, expect, it } from 'vitest'
import type { StorageUnderTest } from './describe-storage.js'
import { expectListed, forEachParallel, listed } from './observations.js'

/** Half of them side by side; 2,500 are more than two pages of 1,000, which is what most object stores give at once. */
function manyObjects(count: number): readonly StoredObject[] {
  const half = Math.ceil(count / 2)
  const flat = Array.from({ length: half }, (_, n) => object(`index/${n.toString(16).padStart(8, '0')}`, n % 7))
  const nested = Array.from({ length: count - half }, (_, n) => {
    const name = ((n * 2_654_435_761) % 2 ** 32).toString(16).padStart(8, '0')
    return object(`packs/${name.slice(0, 2)}/${name}`, n % 5)
  })
  return [...flat, ...nested, object('bkp.json', 3), object('packs-of-others/object', 4)]
}

const few = ['bkp.json', 'index/a', 'index/b', 'packs/aa/aa1', 'packs/aa/aa2', 'packs/ab/ab1', 'packs-2/a'].map(
  (key, n) => object(key, n),
)

const prefixes = [
  '',
  'b',
  'bkp.json',
  'bkp.json/',
  'bkp.jsonx',
  'index',
  'index/',
  'index/a',
  'pack',
  'packs',
  'packs/',
  'packs/a',
  'packs/aa',
  'packs/aa/',
  'packs/aa/aa',
  'packs/aa/aa1',
  'packs/aa1',
  'packs-',
  'a',
]

export function describeListing({ withStorage, listedObjects }: StorageUnderTest): void {
  describe('a list', () => {
    it(`gives ${listedObjects} objects, each once, with their sizes, by prefix and in all`, () =>
      withStorage(async (storage, { reopen }) => {
        const all = manyObjects(listedObjects)
        await forEachParallel(all, ({ key, sizeBytes }) => storage.put(key, new Uint8Array(sizeBytes)))
        const opened = await reopen()
        for (const prefix of ['', 'index/', 'packs/', 'packs', 'packs/0', 'index/000001', 'packs/00/']) {
          await expectListed(
            opened,
            prefix,
            all.filter(({ key }) => key.startsWith(prefix)),
          )
        }
      }))

    it('takes a prefix as plain text', () =>
      withStorage(async (storage) => {
        await forEachParallel(few, ({ key, sizeBytes }) => storage.put(key, new Uint8Array(sizeBytes)))
        for (const prefix of prefixes) {
          const expected = few.filter(({ key }) => key.startsWith(prefix))
          await expectListed(storage, prefix, expected)
        }
      }))

    it('may be left early, and be made again', () =>
      withStorage(async (storage) => {
        await forEachParallel(few, ({ key, sizeBytes }) => storage.put(key, new Uint8Array(sizeBytes)))
        await expectListed(storage, '', few)
        for await (const { key } of storage.list('')) {
          expect(few.map((known) => known.key)).toContain(key)
          break
        }
        await expectListed(storage, '', few)
      }))

    it('of two at once gives each its own', () =>
      withStorage(async (storage) => {
        await forEachParallel(few, ({ key, sizeBytes }) => storage.put(key, new Uint8Array(sizeBytes)))
        await Promise.all([
          expectListed(storage, '', few),
          expectListed(
            storage,
            'packs/',
            few.filter(({ key }) => key.startsWith('packs/')),
          ),
        ])
      }))

    it('gives what stays once, while other objects come and go', () =>
      withStorage(async (storage, { reopen }) => {
        const staying = Array.from({ length: 100 }, (_, n) => object(`packs/a${n % 10}/stays-${n}`, 10))
        await forEachParallel(staying, ({ key, sizeBytes }) => storage.put(key, new Uint8Array(sizeBytes)))
        await expectListed(storage, '', staying)
        const other = await reopen()
        let isChanging = true
        const change = async () => {
          for (let n = 0; isChanging; n++) {
            const key = `packs/a${n % 10}/passes-${n % 30}`
            await other.put(key, new Uint8Array(1))
            if (other.capabilities.canRemove) await other.remove(key)
            // A synchronous storage would keep the list from its turn for ever.
            await nextTurn()
          }
        }
        const changing = change()
        // Awaited below.
        changing.catch(() => undefined)
        try {
          for (let round = 0; round < 10; round++) {
            const seen = await listed(storage, 'packs/')
            expect(new Set(seen.map(({ key }) => key)).size).toBe(seen.length)
            expect(seen.filter(({ key }) => key.includes('stays-'))).toHaveLength(staying.length)
            expect(seen.every(({ key }) => /\/(?:stays|passes)-\d+$/.test(key))).toBe(true)
          }
        } finally {
          isChanging = false
          await changing
        }
      }))
  })
}

function object(key: string, sizeBytes: number): StoredObject {
  return { key, sizeBytes }
}
