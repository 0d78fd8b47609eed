import { describe, expect, it } from 'vitest'
import { limitsOf, patienceOf, withRates } from './limits.js'

describe('patience', () => {
  it('is read with its rate in bytes per second', () => {
    const written = { callSeconds: 10, retrySeconds: 0, slowest: '2K' }
    expect(patienceOf(written)).toEqual({ callSeconds: 10, retrySeconds: 0, slowestBytesPerSecond: 2048 })
    expect(patienceOf({})).toEqual({})
  })
})

describe('limits', () => {
  it('given on the command line count at every time, in their direction alone', () => {
    const limits = limitsOf({
      upload: 1000,
      download: 500,
      schedule: [{ from: '22:00', to: '07:00', upload: 'unlimited' }],
    })
    expect(withRates(limits, { upload: '2K' })).toEqual({
      uploadBytesPerSecond: 2048,
      downloadBytesPerSecond: 500,
      schedule: [{ from: '22:00', to: '07:00', uploadBytesPerSecond: 2048, downloadBytesPerSecond: 500 }],
    })
    expect(withRates(limits, { upload: 'unlimited' })).toEqual({
      downloadBytesPerSecond: 500,
      schedule: [{ from: '22:00', to: '07:00', downloadBytesPerSecond: 500 }],
    })
  })

  it('stay as they are, or none, when nothing is given', () => {
    expect(withRates(undefined, {})).toBeUndefined()
    expect(withRates(undefined, { download: '1M' })).toEqual({ downloadBytesPerSecond: 1024 ** 2 })
  })
})
