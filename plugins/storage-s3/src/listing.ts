import { ListObjectsV2Command, type ListObjectsV2CommandOutput } from '@aws-sdk/client-s3'
import { PortError, type StoredObject } from '@bkp/plugin-api'
import { addressOf, type Bucket, placeOf } from './bucket.js'
import { call } from './calls.js'
import { isKey } from './location.js'

/** Page by page, at most 1,000 objects each. */
export async function* listObjects(
  { client, settings }: Bucket,
  prefix: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<StoredObject> {
  const { Bucket, Key } = addressOf(settings, prefix)
  const what = `Cannot list ${placeOf(settings)}`
  let token: string | undefined
  do {
    const command = new ListObjectsV2Command({
      Bucket,
      Prefix: Key,
      ...(token === undefined ? {} : { ContinuationToken: token }),
    })
    const page: ListObjectsV2CommandOutput = await call(what, signal, (options) => client.send(command, options))
    for (const { Key: name = '', Size: sizeBytes } of page.Contents ?? []) {
      signal?.throwIfAborted()
      const key = name.slice(settings.location.prefix.length)
      if (sizeBytes !== undefined && name.startsWith(Key) && isKey(key)) yield { key, sizeBytes }
    }
    const next = page.IsTruncated === true ? page.NextContinuationToken : undefined
    // A list that ends early makes objects look lost: better no list.
    if (page.IsTruncated === true && (next === undefined || next === token)) {
      throw new PortError('unsupported', `${what}: the server says that there is more, and does not give it`)
    }
    token = next
  } while (token !== undefined)
}
