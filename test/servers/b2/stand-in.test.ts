import { describe, expect, it } from 'vitest'
import { type ApplicationKey, type B2StandIn, startB2StandIn } from '../../b2-stand-in/index.js'
import { startB2StandInProcess } from '../../b2-stand-in/own-process.js'
import { keysOf, withB2 } from './open.js'

interface Signed {
  readonly token: string
  call(name: string, body: object): Promise<{ readonly status: number; readonly [field: string]: unknown }>
}

async function signIn({ realmUrl }: { readonly realmUrl: string }, key: ApplicationKey): Promise<Signed> {
  const basic = Buffer.from(`${key.applicationKeyId}:${key.applicationKey}`).toString('base64')
  const answer = await fetch(`${realmUrl}/b2api/v4/b2_authorize_account`, {
    headers: { authorization: `Basic ${basic}` },
  })
  const { authorizationToken: token } = (await answer.json()) as { authorizationToken: string }
  return {
    token,
    async call(name, body) {
      const response = await fetch(`${realmUrl}/b2api/v4/${name}`, {
        method: 'POST',
        headers: { authorization: token },
        body: JSON.stringify(body),
      })
      return { ...((await response.json()) as object), status: response.status }
    },
  }
}

async function withUploadUrl(
  action: (
    standIn: B2StandIn,
    upload: (headers: Record<string, string>, body: string | Buffer | ReadableStream) => Promise<Response>,
  ) => Promise<void>,
): Promise<void> {
  const standIn = await startB2StandIn()
  try {
    const { call } = await signIn(standIn, standIn)
    const { buckets } = await call('b2_list_buckets', {})
    const [{ bucketId }] = buckets as [{ bucketId: string }]
    const { uploadUrl, authorizationToken } = await call('b2_get_upload_url', { bucketId })
    await action(standIn, (headers, body) =>
      fetch(String(uploadUrl), {
        method: 'POST',
        headers: {
          authorization: String(authorizationToken),
          'content-type': 'text/plain',
          'x-bz-file-name': 'a',
          'x-bz-content-sha1': 'do_not_verify',
          ...headers,
        },
        body,
        ...(body instanceof ReadableStream ? { duplex: 'half' } : {}),
      } as RequestInit),
    )
  } finally {
    await standIn.close()
  }
}

describe('the stand-in of B2', () => {
  it('refuses what B2 refuses in an upload, and tells why as B2 does', () =>
    withUploadUrl(async (standIn, upload) => {
      const refused: readonly (readonly [Record<string, string>, number, RegExp])[] = [
        [{ 'x-bz-content-sha1': '0'.repeat(40) }, 400, /Sha1 did not match/],
        [{ 'x-bz-content-sha1': 'nonsense' }, 400, /not a SHA1/],
        [{ authorization: 'of-somebody-else' }, 401, /token/],
        ...['', '/a', 'a/', 'a//b', 'a%5Cb', 'a%00', 'a%7F', 'b'.repeat(251), 'a/'.repeat(600).concat('a')].map(
          (name) => [{ 'x-bz-file-name': name }, 400, /File names|Missing header/] as const,
        ),
      ]
      for (const [headers, status, message] of refused) {
        const answer = await upload(headers, 'text')
        expect(answer.status).toBe(status)
        const told = (await answer.json()) as { status: number; code: string; message: string }
        expect(told).toMatchObject({ status, code: expect.any(String), message: expect.stringMatching(message) })
      }
      const streamed = await upload({}, new Blob(['text']).stream())
      expect(streamed.status).toBe(411)
      expect(standIn.names()).toEqual([])
      expect((await upload({ 'x-bz-file-name': 'with%20space+plus/%C3%BC' }, 'text')).status).toBe(200)
      expect(standIn.names()).toEqual(['with space plus/ü'])
    }))

  it('takes one upload at a time for each URL', () =>
    withUploadUrl(async (_standIn, upload) => {
      const body = Buffer.alloc(20_000_000)
      const statuses = (await Promise.all([upload({}, body), upload({}, body)])).map(({ status }) => status)
      expect(statuses.sort()).toEqual([200, 400])
      expect((await upload({}, 'later')).status).toBe(200)
    }))

  it('keeps the plugin honest about keys: it checks bucket, prefix and capability itself', async () => {
    const standIn = await startB2StandIn()
    try {
      const master = await signIn(standIn, standIn)
      const [{ bucketId }] = (await master.call('b2_list_buckets', {})).buckets as [{ bucketId: string }]
      const restricted = await signIn(
        standIn,
        standIn.createKey({ buckets: [standIn.bucket], namePrefix: 'in/', capabilities: ['listFiles', 'listBuckets'] }),
      )
      const asked: readonly (readonly [string, object, number])[] = [
        ['b2_list_buckets', {}, 200],
        ['b2_list_file_names', { bucketId, prefix: 'in/a' }, 200],
        ['b2_list_file_names', { bucketId }, 401],
        ['b2_list_file_names', { bucketId, prefix: 'out/' }, 401],
        ['b2_list_file_names', { bucketId, prefix: 'in/', maxFileCount: 10_001 }, 400],
        ['b2_list_file_names', { bucketId: 'of-nobody', prefix: 'in/' }, 400],
        ['b2_get_upload_url', { bucketId }, 401],
        ['b2_hide_file', { bucketId, fileName: 'in/a' }, 401],
        ['b2_delete_file_version', { fileName: 'in/a', fileId: '1' }, 401],
        ['b2_no_such_call', {}, 400],
      ]
      for (const [name, body, status] of asked) expect((await restricted.call(name, body)).status).toBe(status)
    } finally {
      await standIn.close()
    }
  })

  it('lets files rot and vanish', () =>
    withB2(async (standIn, open) => {
      const storage = await open()
      await storage.put('packs/ab/one', Buffer.from('0000'))
      standIn.flipBit('backup/packs/ab/one')
      expect(Buffer.from(await storage.get('packs/ab/one')).toString()).toBe('0010')
      standIn.drop('backup/packs/ab/one')
      expect(await keysOf(storage)).toEqual([])
    }))

  it('runs in a process of its own, which does as it is told', async () => {
    const standIn = await startB2StandInProcess({ bucket: 'of-a-process' })
    try {
      const key = await standIn.tell('createKey', { capabilities: ['listBuckets'] })
      const { call } = await signIn(standIn, key)
      expect((await call('b2_list_buckets', {})).buckets).toMatchObject([{ bucketName: 'of-a-process' }])
      await standIn.tell('failNext', 'b2_list_buckets', { status: 500, code: 'internal_error' })
      expect((await call('b2_list_buckets', {})).status).toBe(500)
      expect(await standIn.tell('callsOf', 'b2_list_buckets')).toBe(2)
      await expect(standIn.tell('flipBit', 'missing')).rejects.toThrow(/does not exist/)
    } finally {
      await standIn.close()
    }
  })
})
