import { notificationKinds } from '@bkp/plugin-api'
import { describe, expect, it } from 'vitest'
import type { NotifierUnderTest } from './describe-notifier.js'
import { sampleNotification } from './messages.js'

const patient = () => ({ signal: new AbortController().signal })

export function describeDelivery({ withNotifier }: NotifierUnderTest): void {
  describe('delivery', () => {
    it.each(notificationKinds)('of "%s" reaches the service, once', (kind) =>
      withNotifier('working', async ({ notifier, received }) => {
        await notifier.notify(sampleNotification(kind), patient())
        expect(await received()).toHaveLength(1)
      }),
    )

    it('of several messages keeps their order', () =>
      withNotifier('working', async ({ notifier, received }) => {
        for (const kind of ['started', 'failed'] as const)
          await notifier.notify(sampleNotification(kind, `the text of ${kind}`), patient())
        const texts = await received()
        expect(texts).toHaveLength(2)
        expect(texts[1]).not.toBe(texts[0])
      }))

    it('keeps every character of the summary', () =>
      withNotifier('working', async ({ notifier, received }) => {
        const summary = 'Grüße, 世界 🗄️ "quoted" \\ $HOME `x` {title} %s'
        await notifier.notify(sampleNotification('failed', summary), patient())
        const [text = ''] = await received()
        expect(text.includes(summary) || text.includes(JSON.stringify(summary).slice(1, -1))).toBe(true)
      }))

    it.each([
      ['of a megabyte', 'a line of the summary\n'.repeat(50_000)],
      ['that is empty', ''],
      ['with a NUL in it', 'before\0after'],
    ])('takes a summary %s', (_, summary) =>
      withNotifier('working', async ({ notifier, received }) => {
        await notifier.notify(sampleNotification('failed', summary), patient())
        expect(await received()).toHaveLength(1)
      }),
    )

    it('takes a run that is no job and has no report', () =>
      withNotifier('working', async ({ notifier, received }) => {
        const { job: _, report: __, ...bare } = sampleNotification('failed')
        await notifier.notify(bare, patient())
        expect(await received()).toHaveLength(1)
      }))
  })

  describe('closing', () => {
    it('may be done twice, also at once', () =>
      withNotifier('working', async ({ notifier }) => {
        await notifier.notify(sampleNotification('finished'), patient())
        await notifier.close()
        await expect(Promise.all([notifier.close(), notifier.close()])).resolves.toHaveLength(2)
      }))

    it('may be done without any message', () =>
      withNotifier('working', async ({ notifier }) => {
        await expect(notifier.close()).resolves.toBeUndefined()
      }))
  })
}
