import { type Notification, type Notifier, PortError, Secret } from '@bkp/plugin-api'
import { describe, expect, it } from 'vitest'
import type { NotifierTarget } from '../config/notifier.js'
import type { Timing } from '../ports/timing.js'
import { NotifierGroup } from './notifier-group.js'

const notification = (kind: Notification['kind'], summary: string = kind): Notification => ({
  kind,
  command: 'backup',
  host: 'nas',
  startedAt: '2026-11-24T02:30:00.000Z',
  summary,
})
const target = (given: Partial<NotifierTarget> = {}): NotifierTarget => ({
  name: 'mail',
  use: 'post',
  options: {},
  on: ['started', 'finished', 'degraded', 'failed'],
  ...given,
})

/** Time that passes when somebody waits. */
class PassingTime implements Timing {
  at = 0
  readonly waits: number[] = []
  now(): number {
    return this.at
  }
  async wait(delayMs: number, signal?: AbortSignal): Promise<void> {
    // Limits of calls: they are over before that.
    if (delayMs === 30_000 || delayMs === 10_000 || delayMs === 5_000) {
      await new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason), { once: true }))
      return
    }
    signal?.throwIfAborted()
    this.waits.push(delayMs)
    this.at += delayMs
  }
}

function groupOf(targets: readonly NotifierTarget[], notify: (message: Notification) => Promise<void>) {
  const warnings: string[] = []
  const timing = new PassingTime()
  const opened: string[] = []
  let closed = 0
  const log = { debug: () => undefined, info: () => undefined, warn: (message: string) => void warnings.push(message) }
  const group = new NotifierGroup(targets, {
    open: async ({ name }): Promise<Notifier> => {
      opened.push(name)
      return {
        notify,
        close: async () => {
          closed++
        },
      }
    },
    secrets: () => [new Secret('tok-en-secret')],
    log,
    timing,
    random: () => 0,
  })
  return { group, warnings, timing, opened, closedCount: () => closed }
}

describe('a group of notifiers', () => {
  it('tells each what it wants to hear of, and opens only those', async () => {
    const heard: string[] = []
    const targets = [target({ name: 'all' }), target({ name: 'grave', on: ['failed'] })]
    const { group, opened } = groupOf(targets, async ({ kind }) => void heard.push(kind))
    expect(await group.tell(notification('finished'))).toMatchObject([{ name: 'all', state: 'told' }])
    expect(opened).toEqual(['all'])
    await group.tell(notification('failed'))
    expect(heard).toEqual(['finished', 'failed', 'failed'])
    await group.close()
  })

  it('repeats what passes, and says nothing of it when it has passed', async () => {
    let attempts = 0
    const { group, warnings, timing } = groupOf([target()], async () => {
      if (++attempts < 3) throw new PortError('offline', 'nobody is there')
    })
    expect(await group.tell(notification('failed'))).toMatchObject([{ state: 'told' }])
    expect(timing.waits).toEqual([1000, 2000])
    expect(warnings).toEqual([])
  })

  it.each([
    ['what does not pass', new PortError('auth', 'the token is wrong', { hint: 'Renew it' }), 1],
    ['what is no PortError', new TypeError('a fault'), 1],
    ['what passes, but not in a minute', new PortError('transient', 'busy'), 6],
  ])('gives up at %s, and warns under the name of the notifier', async (_, error, attempts) => {
    let made = 0
    const { group, warnings } = groupOf([target()], async () => {
      made++
      throw error
    })
    expect(await group.tell(notification('failed'))).toMatchObject([{ state: 'failed', message: error.message }])
    expect(made).toBe(attempts)
    expect(warnings.join()).toContain(`The notifier mail (post) was not told of "failed": ${error.message}`)
  })

  it('makes one attempt where somebody waits for the end', async () => {
    let made = 0
    const { group } = groupOf([target()], async () => {
      made++
      throw new PortError('offline', 'nobody is there')
    })
    await group.tell(notification('failed'), { patience: 'none' })
    expect(made).toBe(1)
  })

  it('lets no secret through, neither in messages nor in what it warns of', async () => {
    const seen: Notification[] = []
    const { group, warnings } = groupOf([target()], async (message) => {
      seen.push(message)
      throw new PortError('auth', 'no: tok-en-secret', { hint: 'not tok-en-secret' })
    })
    const report = { url: 'https://host/?key=tok-en-secret', deep: [{ message: '"tok-en-secret"' }] }
    const outcomes = await group.tell({ ...notification('failed', 'about tok-en-secret'), report })
    expect(seen).toMatchObject([{ summary: 'about [secret]', report: { url: 'https://host/?key=[secret]' } }])
    expect(JSON.stringify([seen, outcomes, warnings])).not.toContain('tok-en-secret')
  })

  it('gives up repeating that a run has begun when it is over', async () => {
    const heard: string[] = []
    let resume: () => void = () => undefined
    const failed = new Promise<void>((resolve) => (resume = resolve))
    const { group, timing } = groupOf([target()], async ({ kind }) => {
      heard.push(kind)
      if (kind !== 'started') return
      await failed
      throw new PortError('offline', 'nobody is there')
    })
    const started = group.tell(notification('started'))
    const finished = group.tell(notification('finished'))
    resume()
    expect(await started).toMatchObject([{ state: 'failed' }])
    expect(await finished).toMatchObject([{ state: 'told' }])
    expect(heard).toEqual(['started', 'finished'])
    expect(timing.waits).toEqual([])
  })

  it('closes what it has opened, after the last message', async () => {
    const { group, closedCount } = groupOf(
      [target(), target({ name: 'other', on: ['started'] })],
      async () => undefined,
    )
    const telling = group.tell(notification('failed'))
    await group.close()
    await telling
    expect(closedCount()).toBe(1)
  })
})
