import { PortError } from '@bkp/plugin-api'
import { FaultyStorage, InMemoryStorage } from '@bkp/testkit'
import { describe, expect, it } from 'vitest'
import { healObjects } from './heal.js'
import { objectOf, replicaOf } from './testing/replicas.js'

const pack = objectOf('packs', 'a pack')
const faults = new Map([[pack.key, 'a blob in it cannot be opened']])

async function holding(bytes: Uint8Array | undefined) {
  const storage = new InMemoryStorage()
  if (bytes !== undefined) await storage.put(pack.key, bytes)
  return storage
}
const heal = async (here: Uint8Array | undefined, there: Uint8Array | undefined) => {
  const storage = new FaultyStorage(await holding(here), [])
  const result = await healObjects(
    faults,
    replicaOf('here', storage).storage,
    replicaOf('there', await holding(there)).storage,
    undefined,
  )
  return { ...result, storage }
}

describe('healing an object', () => {
  it.each([
    ['damaged', Buffer.from('a bad pack')],
    ['missing', undefined],
  ])('that is %s takes it from another replica', async (_what, here) => {
    const { healed, left, storage } = await heal(here, pack.bytes)
    expect(healed.map(({ key }) => key)).toEqual([pack.key])
    expect(left.size).toBe(0)
    expect(Buffer.from(await storage.get(pack.key))).toEqual(pack.bytes)
  })

  it('never takes damaged bytes', async () => {
    const { healed, left, storage } = await heal(undefined, Buffer.from('a bad pack'))
    expect(healed).toEqual([])
    expect([...left.keys()]).toEqual([pack.key])
    expect(storage.callsOf('put')).toBe(0)
  })

  it('whose bytes are those of its name is not said to be healed by the same bytes', async () => {
    const { healed, left, storage } = await heal(pack.bytes, pack.bytes)
    expect(healed).toEqual([])
    expect(left.get(pack.key)).toContain('when it was made')
    expect(storage.callsOf('put')).toBe(0)
  })

  it('is not done where it cannot be written', async () => {
    const error = new PortError('forbidden', 'these credentials may not replace objects')
    const storage = new FaultyStorage(await holding(Buffer.from('a bad pack')), [
      { kind: 'failure', call: 'put', moment: 'before', error, when: { kind: 'every' } },
    ])
    const { healed, left } = await healObjects(
      faults,
      replicaOf('here', storage).storage,
      replicaOf('there', await holding(pack.bytes)).storage,
      undefined,
    )
    expect(healed).toEqual([])
    expect(left.get(pack.key)).toContain('may not replace')
  })
})
