import { ListObjectsV2Command } from '@aws-sdk/client-s3'
import { PortError } from '@bkp/plugin-api'
import { addressOf, type Bucket, placeOf } from './bucket.js'
import { call } from './calls.js'

/** By the header `Date`, to the second. An answer that refuses the request, because of the clock itself, has it too. */
export async function serverClock({ client, settings }: Bucket, signal: AbortSignal | undefined): Promise<number> {
  const { Bucket, Key } = addressOf(settings, '')
  const what = `Cannot ask ${placeOf(settings)} for the time`
  const command = new ListObjectsV2Command({ Bucket, Prefix: Key, MaxKeys: 1 })
  let date: string | undefined
  command.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args)
      date = headersOf(result.response).date
      return result
    },
    // Next to the connection, where an answer is not yet an error.
    { step: 'deserialize', priority: 'low', name: 'bkpDate' },
  )
  try {
    await call(what, signal, (options) => client.send(command, options))
  } catch (error) {
    if (date === undefined) throw error
  }
  const now = Date.parse(date ?? '')
  if (Number.isNaN(now)) throw new PortError('unsupported', `${what}: its answers have no date`)
  return now
}

function headersOf(response: unknown): Readonly<Record<string, string | undefined>> {
  if (typeof response !== 'object' || response === null || !('headers' in response)) return {}
  return response.headers as Readonly<Record<string, string | undefined>>
}
