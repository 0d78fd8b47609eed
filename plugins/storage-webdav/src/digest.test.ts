import { createHash, randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { ann, type Intercept, withFake } from './testing/fake-webdav.js'
import { failureOf } from './testing/outcomes.js'

const md5 = (text: string) => createHash('md5').update(text).digest('hex')

/**
 * Wants digest as RFC 7616 has it: every count once for a nonce, and each nonce for some requests only.
 * @param uses of a nonce
 */
function strictDigest(uses: number): { intercept: Intercept; refusals: () => number } {
  const nonces = new Map<string, { left: number; count: number }>()
  let refusals = 0
  const intercept: Intercept = ({ method, headers }, response) => {
    const text = headers.authorization ?? ''
    const field = (name: string) => new RegExp(`\\b${name}="?([^",]+)`).exec(text)?.[1] ?? ''
    const known = nonces.get(field('nonce'))
    const count = Number.parseInt(field('nc'), 16)
    const ha1 = md5(`ann:the place:${ann.password.reveal()}`)
    const ha2 = md5(`${method}:${field('uri')}`)
    const wanted = md5(`${ha1}:${field('nonce')}:${field('nc')}:${field('cnonce')}:auth:${ha2}`)
    if (known !== undefined && known.left > 0 && count > known.count && field('response') === wanted) {
      known.left--
      known.count = count
      return false
    }
    refusals++
    const nonce = randomBytes(8).toString('hex')
    nonces.set(nonce, { left: uses, count: 0 })
    const challenge = `Digest realm="the place", qop="auth", algorithm=MD5, nonce="${nonce}"`
    response.writeHead(401, { 'WWW-Authenticate': known === undefined ? challenge : `${challenge}, stale=true` }).end()
    return true
  }
  return { intercept, refusals: () => refusals }
}

describe('digest', () => {
  it.each([1, 3, 1000])('goes on with many calls at once where a nonce lasts for %i requests', (uses) =>
    withFake(async (fake) => {
      const { intercept, refusals } = strictDigest(uses)
      fake.intercept = intercept
      const storage = await fake.open(ann)
      const bodies = Array.from({ length: 30 }, (_, n) => Buffer.alloc(n % 5 === 0 ? 1_500_000 : 2000, n))
      await Promise.all(bodies.map((body, n) => storage.put(`packs/a${n % 4}/${n}`, body)))
      const read = await Promise.all(bodies.map((_, n) => storage.get(`packs/a${n % 4}/${n}`)))
      for (const [n, body] of bodies.entries()) expect(Buffer.compare(read[n] ?? new Uint8Array(0), body)).toBe(0)
      expect(refusals()).toBeGreaterThan(0)
    }),
  )

  it('that is refused for good is auth', () =>
    withFake(async (fake) => {
      fake.intercept = strictDigest(0).intercept
      expect((await failureOf(() => fake.open(ann))).code).toBe('auth')
    }))
})

describe('auto', () => {
  it('takes basic, in UTF-8, where digest is not offered, and shows the password only after that', () =>
    withFake(async (fake) => {
      const seen: (string | undefined)[] = []
      fake.intercept = ({ headers }, response) => {
        seen.push(headers.authorization)
        if (headers.authorization !== undefined) return false
        response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="x", charset="UTF-8"' }).end()
        return true
      }
      await fake.open(ann)
      expect(seen).toEqual([undefined, `Basic ${Buffer.from('ann:the secret of ann').toString('base64')}`])
    }))
})
