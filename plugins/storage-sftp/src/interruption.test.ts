import { describe, expect, it } from 'vitest'
import { interruptible } from './interruption.js'

const reason = new Error('enough')

describe('an interruptible call', () => {
  it('rejects at once when it is aborted, though the action goes on', async () => {
    const controller = new AbortController()
    const call = interruptible(controller.signal, () => new Promise(() => undefined))
    controller.abort(reason)
    await expect(call).rejects.toBe(reason)
  })

  it('is decided by the action alone behind the point of no return', async () => {
    const controller = new AbortController()
    const call = interruptible(controller.signal, async (pointOfNoReturn) => {
      pointOfNoReturn()
      controller.abort(reason)
      return 'done'
    })
    await expect(call).resolves.toBe('done')
  })

  it('is stopped at the point of no return when it was aborted before', async () => {
    const controller = new AbortController()
    let isBehind = false
    const call = interruptible(controller.signal, async (pointOfNoReturn) => {
      controller.abort(reason)
      pointOfNoReturn()
      isBehind = true
    })
    await expect(call).rejects.toBe(reason)
    expect(isBehind).toBe(false)
  })

  it('does not begin when it was aborted before', async () => {
    await expect(interruptible(AbortSignal.abort(reason), () => Promise.reject(new Error('begun')))).rejects.toBe(
      reason,
    )
  })
})
