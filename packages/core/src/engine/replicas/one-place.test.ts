import { PortError, type Storage } from '@bkp/plugin-api'
import { InMemoryStorage } from '@bkp/testkit'
import { describe, expect, it } from 'vitest'
import { openSessions } from '../../format/session.js'
import { refuseOnePlace } from './one-place.js'
import { keysIn } from './testing/replicas.js'

const place = (name: string, storage: Storage) => ({ name, storage })

describe('a place under two names', () => {
  it('is found among several, and nothing stays there', async () => {
    const [one, other] = [new InMemoryStorage(), new InMemoryStorage()]
    const places = [place('disk', one), place('nas', other), place('disk again', one)]
    await expect(refuseOnePlace(places)).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining('disk and disk again are the same place'),
    })
    expect([...(await keysIn(one)), ...(await keysIn(other))]).toEqual([])
  })

  it('is not found where there is none, and nothing stays there', async () => {
    const storages = [new InMemoryStorage(), new InMemoryStorage(), new InMemoryStorage()]
    await refuseOnePlace(storages.map((storage, n) => place(`place ${n}`, storage)))
    for (const storage of storages) expect(await keysIn(storage)).toEqual([])
  })

  it('is looked for at places that are only read, without a word to those', async () => {
    const [one, other] = [new InMemoryStorage(), new InMemoryStorage()]
    const read = new InMemoryStorage({ capabilities: { maxObjectBytes: -1 } })
    await refuseOnePlace([place('target', one)], [place('source', read), place('source again', read)])
    const again = refuseOnePlace([place('target', one), place('more', other)], [place('source', other)])
    await expect(again).rejects.toThrow('more and source are the same place')
  })

  it('is found beside a place that fails, which fails nothing here', async () => {
    const storage = new InMemoryStorage()
    const broken = new InMemoryStorage({ capabilities: { maxObjectBytes: -1 } })
    broken.stat = () => Promise.reject(new PortError('offline', 'away'))
    await refuseOnePlace([place('a', storage), place('broken', broken)])
    const again = refuseOnePlace([place('a', storage), place('broken', broken), place('b', storage)])
    await expect(again).rejects.toThrow('a and b are the same place')
  })

  it('that removes nothing keeps a mark that no writer looks at', async () => {
    const storage = new InMemoryStorage({ capabilities: { canRemove: false } })
    await expect(refuseOnePlace([place('a', storage), place('b', storage)])).rejects.toMatchObject({ code: 'usage' })
    const keys = await keysIn(storage)
    expect(keys).toHaveLength(2)
    expect(openSessions(keys)).toEqual([])
  })
})
