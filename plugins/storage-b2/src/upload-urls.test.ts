import { describe, expect, it } from 'vitest'
import { B2Failure } from './failures.js'
import { UploadUrls } from './upload-urls.js'

const hourMs = 60 * 60_000

function fakeUrls(now: () => number = () => 0) {
  let made = 0
  const urls = new UploadUrls(async () => {
    made++
    return { url: `https://pod-${made}`, token: `token-${made}` }
  }, now)
  return { urls, made: () => made }
}

describe('upload URLs', () => {
  it('are never used by two uploads at once', async () => {
    const { urls } = fakeUrls()
    const busy = new Set<string>()
    const uploads = Array.from({ length: 50 }, (_, n) =>
      urls.upload(async ({ url }) => {
        expect(busy.has(url)).toBe(false)
        busy.add(url)
        for (let turn = 0; turn < n % 5; turn++) await new Promise(setImmediate)
        busy.delete(url)
      }),
    )
    await Promise.all(uploads)
  })

  it('are asked for anew before they are a day old', async () => {
    let nowMs = 0
    const { urls, made } = fakeUrls(() => nowMs)
    const use = () => urls.upload(async ({ url }) => url)
    expect(await use()).toBe('https://pod-1')
    nowMs = 22 * hourMs
    expect(await use()).toBe('https://pod-1')
    nowMs = 24 * hourMs
    expect(await use()).toBe('https://pod-2')
    expect(made()).toBe(2)
  })

  it('are not asked for again when another URL would not help', async () => {
    for (const [status, code] of [
      [400, 'bad_request'],
      [401, 'unauthorized'],
      [403, 'storage_cap_exceeded'],
      [429, 'too_many_requests'],
    ] as const) {
      const { urls, made } = fakeUrls()
      const failure = new B2Failure(status, code, 'no', undefined)
      await expect(urls.upload(() => Promise.reject(failure))).rejects.toBe(failure)
      expect(made()).toBe(1)
    }
  })

  it('are not asked for again when the upload is stopped', async () => {
    const { urls, made } = fakeUrls()
    const stopping = new AbortController()
    const failure = new B2Failure(503, 'service_unavailable', 'busy', undefined)
    const uploading = urls.upload(async () => {
      stopping.abort()
      throw failure
    }, stopping.signal)
    await expect(uploading).rejects.toBe(failure)
    expect(made()).toBe(1)
  })
})
