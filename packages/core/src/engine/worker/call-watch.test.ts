import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { ForeignPlugin } from '../../repository/codecs.js'
import { CallMeter } from './call-meter.js'
import { CallWatch } from './call-watch.js'

const [one, two] = ['one', 'two'].map((packageName) => ({
  packageName,
  version: '1.0.0',
  folderUrl: `file:///${packageName}/`,
})) as [ForeignPlugin, ForeignPlugin]
const plugins = [one, two]
let told: { readonly thread: number; readonly message: string }[]
let watch: CallWatch
let meter: CallMeter

beforeEach(() => {
  vi.useFakeTimers()
  told = []
  watch = new CallWatch(2, plugins, 60_000, (thread, { message }) => told.push({ thread, message }))
  meter = new CallMeter(watch.memory, 1, plugins)
})
afterEach(() => {
  watch.close()
  vi.useRealTimers()
})

const never = () => new Promise<void>(() => undefined)

describe('a watch over calls of plugins', () => {
  it('names the plugin and the call that does not come back, once its time is up', () => {
    void meter.during(two, 'read', never)
    vi.advanceTimersByTime(60_000)
    expect(told).toEqual([])
    vi.advanceTimersByTime(10_000)
    expect(told[0]).toEqual({ thread: 1, message: 'The plugin two failed: its read did not come back within 60 s' })
  })

  it('has nothing against many calls that end, whether they return, throw or settle', async () => {
    for (let n = 0; n < 100; n++) {
      meter.during(one, 'compress', () => vi.advanceTimersByTime(1000))
      expect(() =>
        meter.during(one, 'decompress', () => {
          throw new Error('damaged')
        }),
      ).toThrow('damaged')
      await meter.during(one, 'read', async () => 7)
      await meter.during(one, 'read', () => Promise.reject(new Error('x'))).catch(() => undefined)
    }
    expect(told).toEqual([])
    expect(meter.running()).toEqual([])
  })

  it('blames what keeps the thread busy, not what waits for the thread', () => {
    void meter.during(one, 'read', never)
    vi.advanceTimersByTime(5_000)
    meter.during(two, 'compress', () => vi.advanceTimersByTime(70_000))
    expect(told[0]?.message).toContain('The plugin two failed: its compress')
  })

  it('blames what never settles, though others come and go', () => {
    void meter.during(one, 'read', never)
    for (let n = 0; n < 14; n++) meter.during(two, 'compress', () => vi.advanceTimersByTime(5_000))
    expect(told[0]?.message).toContain('The plugin one failed: its read')
  })

  it('counts no time in which the thread waits for the main thread', () => {
    void meter.during(one, 'read', never)
    meter.waiting(() => vi.advanceTimersByTime(600_000))
    vi.advanceTimersByTime(60_000)
    expect(told).toEqual([])
    vi.advanceTimersByTime(10_000)
    expect(told).toHaveLength(2)
  })

  it('lets pass what is too much to be watched', async () => {
    const calls = Array.from({ length: 100 }, (_, n) => meter.during(one, 'describe', async () => n))
    expect(await Promise.all(calls)).toHaveLength(100)
    expect(meter.running()).toEqual([])
  })
})
