import { GetObjectLockConfigurationCommand } from '@aws-sdk/client-s3'
import { isPortError, PortError } from '@bkp/plugin-api'
import { type Bucket, placeOf } from './bucket.js'
import { call } from './calls.js'

/**
 * A server that knows no locks takes an object that shall be locked, and locks nothing: better no object than one that only
 * seems safe. A key that may not ask is believed.
 * @throws PortError `unsupported` when objects of this bucket cannot be locked
 */
export async function refuseWithoutLocks(bucket: Bucket, signal: AbortSignal | undefined): Promise<void> {
  const { client, settings, log } = bucket
  const what = `Cannot ask ${placeOf(settings)} whether it locks objects`
  const command = new GetObjectLockConfigurationCommand({ Bucket: settings.location.bucket })
  let cause: unknown
  try {
    const answer = await call(what, signal, (options) => client.send(command, options))
    if (answer.ObjectLockConfiguration?.ObjectLockEnabled === 'Enabled') return
  } catch (error) {
    if (isPortError(error, 'forbidden')) return log.debug((error as PortError).message)
    if (!isPortError(error, 'not-found') && !isPortError(error, 'unsupported')) throw error
    cause = error
  }
  throw new PortError('unsupported', `${placeOf(settings)} cannot lock objects, as objectLockDays demands`, {
    hint: 'Use a bucket that was made with object lock, or leave out objectLockDays',
    ...(cause === undefined ? {} : { cause }),
  })
}
