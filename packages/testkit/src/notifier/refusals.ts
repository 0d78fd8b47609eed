import { inspect } from 'node:util'
import { isPortError } from '@bkp/plugin-api'
import { describe, expect, it } from 'vitest'
import type { NotifierFixture, NotifierUnderTest, ServiceState } from './describe-notifier.js'
import { sampleNotification } from './messages.js'

/** The suite does not wait longer for a notifier that was told to stop. */
const stopsWithinMs = 5_000

async function failureOf({ notifier }: NotifierFixture): Promise<unknown> {
  try {
    await notifier.notify(sampleNotification('failed'), { signal: new AbortController().signal })
  } catch (error) {
    return error
  }
  throw new Error('The message was taken')
}

export function describeRefusals({ withNotifier, secrets }: NotifierUnderTest): void {
  describe('a service', () => {
    it('that is not there is worth another attempt, and says so by its code', () =>
      withNotifier('offline', async (fixture) => {
        const error = await failureOf(fixture)
        expect(isPortError(error)).toBe(true)
        expect(['offline', 'transient', 'throttled']).toContain((error as { code: string }).code)
      }))

    it('that refuses is told of by a PortError', () =>
      withNotifier('refusing', async (fixture) => {
        const error = await failureOf(fixture)
        expect(isPortError(error)).toBe(true)
        expect((error as Error).message).not.toBe('')
      }))

    it.each(['offline', 'refusing'] satisfies ServiceState[])('that is %s brings no secret into an error', (service) =>
      withNotifier(service, async (fixture) => {
        const error = await failureOf(fixture)
        const all = `${inspect(error, { depth: 10, showHidden: true })} ${JSON.stringify(error)} ${(error as Error).stack}`
        for (const secret of secrets) expect(all).not.toContain(secret)
      }),
    )

    it('that hangs is left when the signal says so, with its reason', () =>
      withNotifier('hanging', async ({ notifier }) => {
        const controller = new AbortController()
        const reason = new Error('the time is up')
        const notifying = notifier.notify(sampleNotification('failed'), { signal: controller.signal })
        const timer = setTimeout(() => controller.abort(reason), 200)
        const began = Date.now()
        try {
          await expect(notifying).rejects.toBe(reason)
          expect(Date.now() - began).toBeLessThan(stopsWithinMs)
        } finally {
          clearTimeout(timer)
        }
      }))

    it('is not told when the signal is aborted already', () =>
      withNotifier('working', async ({ notifier, received }) => {
        const reason = new Error('too late')
        const notifying = notifier.notify(sampleNotification('failed'), { signal: AbortSignal.abort(reason) })
        await expect(notifying).rejects.toBe(reason)
        expect(await received()).toEqual([])
      }))
  })
}
