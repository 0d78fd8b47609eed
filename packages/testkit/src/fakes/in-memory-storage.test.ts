import { describe, it } from 'vitest'
import { describeStorage } from '../storage/describe-storage.js'
import { expectPortRejection } from '../support/port-failures.js'
import { InMemoryStorage, type InMemoryStorageOptions } from './in-memory-storage.js'

const fixtureOf = (capabilities: InMemoryStorageOptions['capabilities'] = {}) => ({
  async open() {
    const objects = new Map<string, Uint8Array>()
    const reopen = async () => new InMemoryStorage({ objects, capabilities })
    return { storage: await reopen(), reopen, dispose: async () => objects.clear() }
  },
})

describeStorage('in memory', fixtureOf())
describeStorage('in memory, that never removes', fixtureOf({ canRemove: false }))

describe('InMemoryStorage', () => {
  it('refuses what is larger than it says it takes', async () => {
    const storage = new InMemoryStorage({ capabilities: { maxObjectBytes: 5 } })
    await storage.put('five', new Uint8Array(5))
    await expectPortRejection('quota', () => storage.put('six', new Uint8Array(6)))
  })
})
