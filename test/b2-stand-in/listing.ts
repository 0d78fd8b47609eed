import { badRequest } from './api-error.js'
import type { HeldKey } from './application-keys.js'
import { requirePrefix } from './application-keys.js'
import type { Bucket, FileVersion } from './buckets.js'

export type Body = Readonly<Record<string, unknown>>

const mostNames = 10_000
const namesByDefault = 100

/** `b2_list_file_names`: what a download by name would find. */
export function listFileNames(bucket: Bucket, key: HeldKey, body: Body): object {
  const { start, prefix, count } = readPaging(key, body)
  const files: FileVersion[] = []
  for (const name of bucket.namesFrom(start, prefix)) {
    const newest = bucket.versionsOf(name).find(({ action }) => action !== 'start')
    if (newest?.action !== 'upload') continue
    if (files.length === count) return { files: files.map((file) => describe(bucket, file)), nextFileName: name }
    files.push(newest)
  }
  return { files: files.map((file) => describe(bucket, file)), nextFileName: null }
}

/** `b2_list_file_versions`: all, also hide markers and unfinished large files; by name, the newest first. */
export function listFileVersions(bucket: Bucket, key: HeldKey, body: Body): object {
  const { start, prefix, count } = readPaging(key, body)
  let versions = bucket.namesFrom(start, prefix).flatMap((name) => bucket.versionsOf(name))
  if (typeof body.startFileId === 'string') {
    const from = versions.findIndex(({ fileId }) => fileId === body.startFileId)
    if (from > 0) versions = versions.slice(from)
  }
  const next = versions[count]
  return {
    files: versions.slice(0, count).map((file) => describe(bucket, file)),
    nextFileName: next?.fileName ?? null,
    nextFileId: next?.fileId ?? null,
  }
}

function readPaging(key: HeldKey, body: Body): { start: string; prefix: string; count: number } {
  const { startFileName, prefix = '', maxFileCount = namesByDefault } = body
  if (typeof maxFileCount !== 'number' || maxFileCount < 1 || maxFileCount > mostNames)
    throw badRequest(`maxFileCount out of range: ${String(maxFileCount)}`)
  if (typeof prefix !== 'string') throw badRequest('prefix is not a string')
  requirePrefix(key, prefix)
  return { start: typeof startFileName === 'string' ? startFileName : '', prefix, count: maxFileCount }
}

/** A version as all calls show it. */
export function describe(bucket: Bucket, version: FileVersion): object {
  const { fileId, fileName, action, contentType, contentSha1, uploadTimestamp, retention, encrypted, data } = version
  return {
    accountId: '0123456789ab',
    action,
    bucketId: bucket.bucketId,
    contentLength: data.length,
    contentSha1: action === 'upload' ? contentSha1 : null,
    contentType: action === 'hide' ? 'application/x-bz-hide-marker' : contentType,
    fileId,
    fileInfo: {},
    fileName,
    fileRetention: {
      isClientAuthorizedToRead: true,
      value: { mode: retention?.mode ?? null, retainUntilTimestamp: retention?.retainUntilTimestamp ?? null },
    },
    serverSideEncryption: { algorithm: encrypted ? 'AES256' : null, mode: encrypted ? 'SSE-B2' : null },
    uploadTimestamp,
  }
}
