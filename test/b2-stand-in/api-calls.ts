import { createHash } from 'node:crypto'
import { ApiError, badRequest } from './api-error.js'
import { type HeldKey, requireBucket, requireCapability, requirePrefix } from './application-keys.js'
import { type Bucket, type Buckets, type FileVersion, newFileId, type Retention } from './buckets.js'
import { type Body, describe, listFileNames, listFileVersions } from './listing.js'
import { checkFileName } from './names.js'
import { readRetention, requireLock } from './retention.js'
import type { UploadTokens } from './upload-tokens.js'

/** What B2 tells in `b2_authorize_account`. */
export const minimumPartBytes = 5_000_000
export const recommendedPartBytes = 100_000_000

export interface ApiContext {
  readonly baseUrl: string
  readonly buckets: Buckets
  readonly uploadTokens: UploadTokens
  readonly now: () => number
}

type ApiCall = (context: ApiContext, key: HeldKey, body: Body) => object

/** The calls with JSON in and out, by name. */
export const apiCalls: Readonly<Record<string, ApiCall>> = {
  b2_list_buckets({ buckets }, key, { bucketName, bucketId }) {
    requireCapability(key, 'listBuckets')
    // A key for some buckets must say which it asks for.
    if (key.buckets !== undefined && !buckets.all.some((one) => isAsked(one) && key.buckets?.includes(one.bucketName)))
      throw new ApiError(401, 'unauthorized', 'not entitled to list these buckets')
    return {
      buckets: buckets.all.filter(isAsked).map((one) => ({
        accountId: '0123456789ab',
        bucketId: one.bucketId,
        bucketName: one.bucketName,
        bucketType: 'allPrivate',
        bucketInfo: {},
        lifecycleRules: [],
        revision: 1,
      })),
    }
    function isAsked(bucket: Bucket): boolean {
      if (bucketId !== undefined && bucketId !== bucket.bucketId) return false
      return bucketName === undefined || String(bucketName).toLowerCase() === bucket.bucketName.toLowerCase()
    }
  },

  b2_get_upload_url({ baseUrl, buckets, uploadTokens }, key, body) {
    const bucket = entitled(buckets, key, body, 'writeFiles')
    const { pod, token } = uploadTokens.create({ key, bucket })
    const uploadUrl = `${baseUrl}/b2api/v4/b2_upload_file/${bucket.bucketId}/${pod}`
    return { bucketId: bucket.bucketId, uploadUrl, authorizationToken: token }
  },

  b2_get_upload_part_url({ baseUrl, buckets, uploadTokens }, key, { fileId }) {
    const { bucket, version } = buckets.unfinishedFile(fileId)
    requireFile(key, bucket, version.fileName, 'writeFiles')
    const { pod, token } = uploadTokens.create({ key, bucket, fileId: version.fileId })
    const uploadUrl = `${baseUrl}/b2api/v4/b2_upload_part/${version.fileId}/${pod}`
    return { fileId, uploadUrl, authorizationToken: token }
  },

  b2_start_large_file({ buckets, now }, key, body) {
    const bucket = entitled(buckets, key, body, 'writeFiles')
    const fileName = nameOf(body)
    requirePrefix(key, fileName)
    if (typeof body.contentType !== 'string') throw badRequest('contentType is required')
    const retention = readRetention(body.fileRetention)
    if (retention !== undefined) requireLock(key, bucket, retention, now())
    const version: FileVersion = {
      fileId: newFileId(bucket),
      fileName,
      action: 'start',
      contentType: body.contentType,
      contentSha1: 'none',
      uploadTimestamp: now(),
      retention,
      encrypted: body.serverSideEncryption !== undefined,
      data: Buffer.alloc(0),
    }
    bucket.add(version)
    buckets.unfinished.set(version.fileId, { version, bucket, parts: new Map() })
    return describe(bucket, version)
  },

  b2_finish_large_file({ buckets, now }, key, { fileId, partSha1Array }) {
    const { bucket, version, parts } = buckets.unfinishedFile(fileId)
    requireFile(key, bucket, version.fileName, 'writeFiles')
    if (!Array.isArray(partSha1Array) || partSha1Array.length !== parts.size || parts.size < 2)
      throw badRequest('partSha1Array must name all parts, of which there are two at least')
    const pieces = partSha1Array.map((sha1, n) => {
      const part = parts.get(n + 1)
      if (part === undefined) throw new ApiError(400, 'missing_part', `Part number ${n + 1} has not been uploaded`)
      if (part.sha1 !== sha1)
        throw new ApiError(400, 'part_sha1_mismatch', `Part number ${n + 1} has not the SHA1 that was told`)
      if (n + 1 < parts.size && part.data.length < minimumPartBytes)
        throw badRequest(`Part number ${n + 1} is smaller than ${minimumPartBytes} bytes`)
      return part.data
    })
    bucket.remove(version)
    buckets.unfinished.delete(version.fileId)
    const finished: FileVersion = { ...version, action: 'upload', uploadTimestamp: now(), data: Buffer.concat(pieces) }
    bucket.add(finished)
    return describe(bucket, finished)
  },

  b2_cancel_large_file({ buckets }, key, { fileId }) {
    const { bucket, version } = buckets.unfinishedFile(fileId)
    requireFile(key, bucket, version.fileName, 'writeFiles')
    bucket.remove(version)
    buckets.unfinished.delete(version.fileId)
    const { bucketId } = bucket
    return { accountId: '0123456789ab', bucketId, fileId, fileName: version.fileName }
  },

  b2_list_unfinished_large_files({ buckets }, key, body) {
    const bucket = entitled(buckets, key, body, 'listFiles')
    const files = [...buckets.unfinished.values()].filter((one) => one.bucket === bucket)
    return { files: files.map(({ version }) => describe(bucket, version)), nextFileId: null }
  },

  b2_list_file_names: ({ buckets }, key, body) => listFileNames(entitled(buckets, key, body, 'listFiles'), key, body),

  b2_list_file_versions: ({ buckets }, key, body) =>
    listFileVersions(entitled(buckets, key, body, 'listFiles'), key, body),

  b2_get_file_info({ buckets }, key, { fileId }) {
    const found = buckets.version(fileId)
    if (found === undefined) throw new ApiError(404, 'not_found', `File ${String(fileId)} does not exist`)
    requireFile(key, found.bucket, found.version.fileName, 'readFiles')
    return describe(found.bucket, found.version)
  },

  b2_hide_file({ buckets, now }, key, body) {
    const bucket = entitled(buckets, key, body, 'writeFiles')
    const fileName = nameOf(body)
    requirePrefix(key, fileName)
    const newest = bucket.versionsOf(fileName).find(({ action }) => action !== 'start')
    if (newest === undefined) throw new ApiError(400, 'no_such_file', 'File not present')
    if (newest.action === 'hide') throw new ApiError(400, 'already_hidden', 'File already hidden')
    const marker: FileVersion = {
      fileId: newFileId(bucket),
      fileName,
      action: 'hide',
      contentType: '',
      contentSha1: '',
      uploadTimestamp: now(),
      retention: undefined,
      encrypted: false,
      data: Buffer.alloc(0),
    }
    bucket.add(marker)
    return describe(bucket, marker)
  },

  b2_delete_file_version({ buckets, now }, key, { fileId, fileName, bypassGovernance }) {
    requireCapability(key, 'deleteFiles')
    const found = buckets.version(fileId)
    if (found === undefined || found.version.fileName !== fileName)
      throw new ApiError(400, 'file_not_present', `File not present: ${String(fileName)} ${String(fileId)}`)
    const { bucket, version } = found
    requireFile(key, bucket, version.fileName, 'deleteFiles')
    const mayBypass = bypassGovernance === true && key.capabilities.includes('bypassGovernance')
    if (isLocked(version.retention, mayBypass, now())) throw new ApiError(403, 'access_denied', 'Access Denied')
    bucket.remove(version)
    buckets.unfinished.delete(version.fileId)
    return { fileId, fileName }
  },
}

function isLocked(retention: Retention | undefined, mayBypass: boolean, now: number): boolean {
  if (retention === undefined || retention.retainUntilTimestamp <= now) return false
  return retention.mode === 'compliance' || !mayBypass
}

function entitled(
  buckets: Buckets,
  key: HeldKey,
  body: Body,
  capability: Parameters<typeof requireCapability>[1],
): Bucket {
  requireCapability(key, capability)
  const bucket = buckets.byId(body.bucketId)
  requireBucket(key, bucket.bucketName)
  return bucket
}

function requireFile(key: HeldKey, bucket: Bucket, name: string, capability: Parameters<typeof requireCapability>[1]) {
  requireCapability(key, capability)
  requireBucket(key, bucket.bucketName)
  requirePrefix(key, name)
}

function nameOf({ fileName }: Body): string {
  if (typeof fileName !== 'string') throw badRequest('fileName is required')
  checkFileName(fileName)
  return fileName
}

export function sha1(data: Uint8Array): string {
  return createHash('sha1').update(data).digest('hex')
}
