import { PortError, type Storage, type StorageRequest } from '@bkp/plugin-api'
import { B2Storage } from './b2-storage.js'
import { wrap } from './failures.js'
import { Http } from './http.js'
import { type Location, parseLocation } from './names.js'
import { type B2Options, readOptions } from './options.js'
import { Permissions } from './permissions.js'
import { Session } from './session.js'

/**
 * Opens a prefix of a bucket as a storage. The bucket must be there, whatever the intent: who makes it decides on
 * region, lifecycle and lock.
 * @throws PortError `config`, `auth`, `forbidden` when the key is for another place, `not-found` when there is no bucket
 */
export async function openB2Storage(request: StorageRequest): Promise<Storage> {
  const location = parseLocation(request.url)
  const options = readOptions(request.configuration)
  const http = new Http(options)
  try {
    return await wrap(`Cannot open ${request.url}`, undefined, () => open(request, location, options, http))
  } catch (error) {
    await http.close()
    throw error
  }
}

async function open(request: StorageRequest, location: Location, options: B2Options, http: Http): Promise<Storage> {
  const session = new Session(http, options)
  const { accountId, allowed } = await session.authorization()
  const permissions = new Permissions(allowed)
  permissions.requirePrefix(location)
  const what = `Cannot use ${request.url}`
  if (request.intent === 'create') permissions.require('writeFiles', what)
  if (options.fileLock !== undefined) permissions.require('writeFileRetentions', what)
  const bucketId =
    permissions.bucketId(location.bucket) ?? (await findBucket(session, permissions, accountId, location))
  request.log.debug('B2 bucket opened', { bucketId, capabilities: allowed.capabilities.join(' ') })
  const place = { bucketId, bucketName: location.bucket, prefix: location.prefix }
  return new B2Storage({ session, http }, place, permissions, options, request.log)
}

/** For a key that is for all buckets: their IDs are not in its restrictions. (Class C.) */
async function findBucket(session: Session, permissions: Permissions, accountId: string, { bucket }: Location) {
  permissions.require('listBuckets', `Cannot find the bucket ${bucket}`)
  const answer = await session.call('b2_list_buckets', { accountId, bucketName: bucket })
  const { buckets } = (answer ?? {}) as { buckets?: unknown }
  for (const found of Array.isArray(buckets) ? (buckets as Record<string, unknown>[]) : []) {
    const isWanted = typeof found.bucketName === 'string' && found.bucketName.toLowerCase() === bucket.toLowerCase()
    if (isWanted && typeof found.bucketId === 'string') return found.bucketId
  }
  throw new PortError('not-found', `There is no bucket ${bucket} in this B2 account`, {
    hint: `Check the name, or make the bucket on the B2 page "Buckets" or by: b2 bucket create ${bucket} allPrivate`,
  })
}
