import {
  DeleteObjectCommand,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandOutput,
} from '@aws-sdk/client-s3'
import { PortError } from '@bkp/plugin-api'
import { addressOf, type Bucket, placeOf } from './bucket.js'
import { call } from './calls.js'

/**
 * Removes every version of an object for good. The newest goes last: while an older one is refused, the object can be read.
 * @throws PortError `forbidden` when a version is locked, or when the key may not remove it
 */
export async function removeVersions(bucket: Bucket, key: string, signal: AbortSignal | undefined): Promise<void> {
  const { client, settings } = bucket
  for (const versionId of (await versionsOf(bucket, key, signal)).reverse()) {
    const command = new DeleteObjectCommand({ ...addressOf(settings, key), VersionId: versionId })
    await call(`Cannot remove ${key} in ${placeOf(settings)}`, signal, (options) => client.send(command, options))
  }
}

/** Versions and delete markers, newest first, as the server lists them. */
async function versionsOf(
  { client, settings }: Bucket,
  key: string,
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const { Bucket, Key } = addressOf(settings, key)
  const what = `Cannot list the versions of ${key} in ${placeOf(settings)}`
  const found: { id: string; at: number }[] = []
  let marker: { KeyMarker?: string; VersionIdMarker?: string } | undefined = {}
  while (marker !== undefined) {
    const command = new ListObjectVersionsCommand({ Bucket, Prefix: Key, ...marker })
    const page: ListObjectVersionsCommandOutput = await call(what, signal, (options) => client.send(command, options))
    for (const version of [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])]) {
      if (version.Key !== Key || version.VersionId === undefined) continue
      found.push({ id: version.VersionId, at: version.LastModified?.getTime() ?? 0 })
    }
    // Keys are sorted: what follows another key is not ours.
    const isDone = page.IsTruncated !== true || (page.NextKeyMarker ?? Key) !== Key
    if (!isDone && page.NextVersionIdMarker === marker.VersionIdMarker) {
      throw new PortError('unsupported', `${what}: the server gives the same page again`)
    }
    marker = isDone
      ? undefined
      : {
          KeyMarker: Key,
          ...(page.NextVersionIdMarker === undefined ? {} : { VersionIdMarker: page.NextVersionIdMarker }),
        }
  }
  return found.sort((one, other) => other.at - one.at).map(({ id }) => id)
}
