import { PortError, type StorageCapabilities } from '@bkp/plugin-api'
import { InMemoryStorage } from '@bkp/testkit'
import { describe, expect, it } from 'vitest'
import { Probe } from './probe.js'

class Undeletable extends InMemoryStorage {
  override remove(): Promise<void> {
    return Promise.reject(new PortError('forbidden', 'Access denied'))
  }
}

async function removeStepOf(capabilities: Partial<StorageCapabilities>) {
  const result = await new Probe(new Undeletable({ capabilities }), Date.now, undefined).run()
  return { ...result, step: result.steps.find(({ name }) => name === 'remove') }
}

describe('a destination of which nothing can be removed', () => {
  it('is said to have credentials that may not, and is fit for backups', async () => {
    const { step, canRemove, leftBehind } = await removeStepOf({})
    expect(step).toEqual({
      name: 'remove',
      level: 'note',
      message: 'these credentials may not delete; everything but prune works',
    })
    expect(canRemove).toBe(false)
    // Both objects, and that the one that looks like a lease is over.
    expect(leftBehind.length).toBeGreaterThanOrEqual(2)
  })

  it('is said to lock its objects where it does', async () => {
    const { step } = await removeStepOf({ objectLock: true })
    expect(step?.level).toBe('note')
    expect(step?.message).toBe('objects are locked until their date, as is set; everything but prune works')
  })
})
