import { type CallOptions, PortError, Secret, type Storage } from '@bkp/plugin-api'
import { InMemoryStorage } from '@bkp/testkit'
import { describe, expect, it } from 'vitest'
import { RetryingStorage, type RetryNotice } from '../../ports/retrying.js'
import { KeySlots } from '../../repository/key-slots.js'
import type { PluginAccess } from '../plugin-access.js'
import { openReplicas } from './open-replicas.js'

/** Lists until it is closed or nobody waits any more, like a server that is slow. */
class SlowToList extends InMemoryStorage {
  readonly signals: (AbortSignal | undefined)[] = []
  #fail: ((error: Error) => void) | undefined

  override async *list(_prefix: string, { signal }: CallOptions = {}) {
    this.signals.push(signal)
    yield await new Promise<never>((_resolve, reject) => {
      this.#fail = reject
      signal?.addEventListener('abort', () => reject(signal.reason))
    })
  }

  override async close(): Promise<void> {
    this.#fail?.(new PortError('transient', 'The client is destroyed'))
  }
}

const slots = new KeySlots({ kind: 'passphrase', passphrase: new Secret('x') }, { read: async () => undefined })

describe('a place that holds no repository', () => {
  it('is left at once: the key slots that were being listed are given up, and nothing is tried again', async () => {
    const slow = new SlowToList()
    const notices: RetryNotice[] = []
    const storage = new RetryingStorage(slow, { onRetry: (notice) => notices.push(notice) })
    const plugins = { openStorage: async (): Promise<Storage> => storage } as Partial<PluginAccess> as PluginAccess
    const opening = openReplicas(plugins, [{ name: 'cloud', url: 'cloud://bucket/wrong' }], { slots })
    await expect(opening).rejects.toMatchObject({ code: 'no-repository' })
    expect(slow.signals.map((signal) => signal?.aborted)).toEqual([true])
    expect(notices).toEqual([])
  })
})
