import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Secret } from '@bkp/plugin-api'
import { expectPortRejection, randomLikeBytes } from '@bkp/testkit'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { certificate, privateKey } from './testing/certificate.js'
import { FakeS3, type Fault, fail } from './testing/fake-s3.js'
import { openBucket } from './testing/open-bucket.js'
import { openFake } from './testing/with-fake.js'

const bytes = randomLikeBytes(1000)
let server: FakeS3
let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bkp-s3-'))
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await server.stop()
  await rm(folder, { recursive: true })
})

describe('a server with a certificate of its own', () => {
  beforeEach(async () => {
    server = await new FakeS3({ key: privateKey, cert: certificate }).start()
  })

  it('is not trusted, and the error says what to do', async () => {
    await expect(openFake(server)).rejects.toMatchObject({ code: 'config', hint: expect.stringContaining('ca=') })
  })

  it('is trusted by the file of its authority, and then no body is hashed for the signature', async () => {
    const ca = join(folder, 'ca.pem')
    await writeFile(ca, certificate)
    const storage = await openFake(server, { ca })
    await storage.put('one', bytes)
    expect(Buffer.compare(await storage.get('one'), bytes)).toBe(0)
    const put = server.seen.find(({ method }) => method === 'PUT')
    expect(put?.headers['x-amz-content-sha256']).toBe('UNSIGNED-PAYLOAD')
    await storage.close()
  })

  it('takes a key of the customer, for every call', async () => {
    const ca = join(folder, 'ca.pem')
    await writeFile(ca, certificate)
    const storage = await openFake(server, { ca, customerKey: customerKey() })
    await storage.put('one', bytes)
    await storage.get('one')
    await storage.stat('one')
    const calls = server.seen.filter(({ query }) => !query.has('list-type'))
    expect(calls.map(({ headers }) => headers['x-amz-server-side-encryption-customer-key'])).toEqual([
      customerKey().reveal(),
      customerKey().reveal(),
      customerKey().reveal(),
    ])
    await storage.close()
  })

  it('needs a file that is there', async () => {
    await expectPortRejection('config', () => openFake(server, { ca: join(folder, 'nothing.pem') }))
  })
})

describe('the clock of the server', () => {
  const date: Fault = (_, answer) => void answer.setHeader('date', 'Tue, 24 Nov 2026 10:00:00 GMT')

  it('is told, also by an answer that refuses', async () => {
    server = await new FakeS3().start()
    const storage = await openFake(server)
    for (const faults of [[date], [date, fail(403, 'RequestTimeTooSkewed')]]) {
      server.fail(...faults)
      expect(await storage.now?.()).toBe(Date.parse('2026-11-24T10:00:00Z'))
    }
    server.fail((_, answer) => answer.destroy())
    await expectPortRejection('transient', async () => storage.now?.())
    await storage.close()
  })
})

describe('keys that are not given', () => {
  const configuration = () => ({ endpoint: server.endpoint })
  const usedKey = () => /Credential=([^/]+)\//.exec(server.seen.at(-1)?.headers.authorization ?? '')?.[1]

  beforeEach(async () => {
    server = await new FakeS3().start()
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_PROFILE']) vi.stubEnv(name, undefined)
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true')
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', join(folder, 'credentials'))
    vi.stubEnv('AWS_CONFIG_FILE', join(folder, 'config'))
  })

  it('come from the environment', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'key-of-the-environment')
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret')
    const storage = await openBucket({ url: 's3://bucket', configuration: configuration() })
    expect(usedKey()).toBe('key-of-the-environment')
    await storage.close()
  })

  it('come from a profile, also when the environment has others', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'key-of-the-environment')
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret')
    const profile = '[backup]\naws_access_key_id = key-of-the-profile\naws_secret_access_key = secret\n'
    await writeFile(join(folder, 'credentials'), profile)
    const storage = await openBucket({ url: 's3://bucket', configuration: { ...configuration(), profile: 'backup' } })
    expect(usedKey()).toBe('key-of-the-profile')
    await storage.close()
  })

  it('and that are nowhere are an error that says where to put them', async () => {
    await expect(openBucket({ url: 's3://bucket', configuration: configuration() })).rejects.toMatchObject({
      code: 'auth',
      hint: expect.stringContaining('AWS_ACCESS_KEY_ID'),
    })
  })

  it('nor a region, are an error that asks for it', async () => {
    vi.stubEnv('AWS_REGION', undefined)
    vi.stubEnv('AWS_DEFAULT_REGION', undefined)
    await expect(openBucket({ url: 's3://bucket' })).rejects.toMatchObject({
      code: 'config',
      hint: expect.stringContaining('region='),
    })
  })
})

function customerKey(): Secret {
  return new Secret(Buffer.alloc(32, 7).toString('base64'))
}
