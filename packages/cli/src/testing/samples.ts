import type { Issue, ListedEntry, RawPath, SnapshotSummary } from '@bkp/core'
import type { NotifierDescription, StorageDescription } from '@bkp/core/config'
import type { FakeAnswers } from './fake-engine.js'

export const passphrase = 'correct horse battery staple'
export const recoveryCode = '35KN-EZCW-GH83-WG2X-MAYC-1WTP-VAX4-7FX8-02GM'
export const repositoryId = '6f1d'.repeat(8)
export const snapshotId = '1a2b3c4d'.repeat(8)
export const olderSnapshotId = '99887766'.repeat(8)

export const testStorages: readonly StorageDescription[] = [
  { id: 'local', displayName: 'Local disk', schemes: ['file'] },
  {
    id: 'cloud',
    displayName: 'Cloud',
    schemes: ['cloud'],
    schema: {
      type: 'object',
      properties: {
        region: { type: 'string', description: 'Region of the bucket', 'x-bkp-env': 'CLOUD_REGION' },
        keyId: { type: 'string', description: 'Key id' },
        secretKey: { type: 'string', description: 'Secret key', 'x-bkp-secret': true, 'x-bkp-env': 'CLOUD_SECRET' },
        pathStyle: { type: 'boolean' },
        port: { type: 'integer', minimum: 1, maximum: 65535 },
      },
      required: ['keyId', 'secretKey'],
      additionalProperties: false,
    },
  },
]

export const testNotifiers: readonly NotifierDescription[] = [
  {
    id: 'post',
    displayName: 'Post',
    schema: {
      type: 'object',
      properties: {
        to: { type: 'string' },
        token: { type: 'string', 'x-bkp-secret': true, 'x-bkp-env': 'POST_TOKEN' },
      },
      additionalProperties: false,
    },
  },
]

export function rawPath(text: string): RawPath {
  return { text, bytes: Buffer.from(text) }
}

/** A name that is not UTF-8. */
export const latin1Path: RawPath = { text: '/home/ann/caf\ufffd', bytes: Buffer.from('/home/ann/caf\xe9', 'latin1') }

export const issue: Issue = { kind: 'unreadable', path: latin1Path, message: 'EACCES: permission denied' }

export const file: ListedEntry = {
  path: rawPath('/home/ann/letter.txt'),
  kind: 'file',
  mode: 0o644,
  uid: 1000,
  gid: 1000,
  userName: 'ann',
  groupName: 'users',
  sizeBytes: 1234,
  mtimeSeconds: 1_795_468_325,
  mtimeNanoseconds: 465_283_316,
}

export const link: ListedEntry = {
  ...file,
  path: latin1Path,
  kind: 'symlink',
  mode: 0o777,
  sizeBytes: 0,
  linkTarget: rawPath('letter.txt'),
}

export const snapshot: SnapshotSummary = {
  id: snapshotId,
  time: '2026-11-23T18:46:00.123456789Z',
  hostname: 'nas',
  username: 'ann',
  program: 'bkp 0.1.0',
  source: 'fs',
  paths: [rawPath('/home/ann')],
  tags: ['weekly'],
  parent: olderSnapshotId,
  stats: { files: 3, bytes: 5000 },
  issueCount: 0,
  plugins: [{ port: 'compression', id: 'brotli', package: 'bkp-codec-brotli', version: '1.2.3' }],
}

export const answers: FakeAnswers = {
  backup: {
    snapshotId,
    parentId: olderSnapshotId,
    stats: {
      files: 3,
      directories: 2,
      others: 1,
      bytes: 5000,
      filesNew: 1,
      filesChanged: 1,
      filesUnchanged: 1,
      newBlobs: 3,
      newBytes: 3000,
      storedBytes: 2048,
      errors: 0,
    },
    destinations: [],
    issues: [],
    elapsedMs: 1234,
  },
  restore: {
    files: 3,
    directories: 2,
    others: 1,
    bytes: 5000,
    skipped: 0,
    deleted: 0,
    verified: 0,
    damaged: 0,
    fallOvers: [],
    issues: [],
    elapsedMs: 1234,
  },
  check: {
    snapshots: 2,
    packs: 4,
    packsRead: 4,
    blobs: 12,
    bytesRead: 4096,
    damages: [],
    unreferencedPacks: 0,
    elapsedMs: 1234,
  },
  copy: {
    snapshots: [
      {
        sourceId: olderSnapshotId,
        targetId: '55667788'.repeat(8),
        time: '2026-11-22T18:46:00.123456789Z',
        hostname: 'nas',
        paths: [rawPath('/home/ann')],
        state: 'present',
        faults: [],
      },
      {
        sourceId: snapshotId,
        targetId: '11223344'.repeat(8),
        time: snapshot.time,
        hostname: 'nas',
        paths: [rawPath('/home/ann')],
        state: 'copied',
        faults: [],
      },
    ],
    broken: [],
    stats: { blobsRead: 12, bytesRead: 5000, newBlobs: 3, newBytes: 3000, storedBytes: 2048 },
    destinations: [{ name: '/other', url: '/other', state: 'complete', storedBytes: 2048, caughtUpObjects: 0 }],
    elapsedMs: 1234,
  },
  snapshots: [snapshot, { ...snapshot, id: olderSnapshotId, parent: null }],
  entries: [file, link],
  differences: [
    { change: 'added', path: file.path, after: file },
    { change: 'content', path: latin1Path, before: { ...link, sizeBytes: 1 }, after: link },
    { change: 'removed', path: rawPath('/home/ann/old'), before: file },
  ],
  content: [Buffer.from([0, 255, 10]), Buffer.from([13, 10])],
  stats: { snapshots: 2, packs: 4, blobs: 12, storedBytes: 4096, blobBytes: 9000, snapshotBytes: 12_000 },
  findings: [
    { level: 'ok', subject: 'node', message: 'v20.20.2' },
    { level: 'warning', subject: 'compression zstd', message: 'is not installed', hint: 'npm install zstd-napi' },
  ],
  sync: {
    destinations: [
      { name: 'nas', url: 'sftp://nas/backup', state: 'complete', objects: 3, bytes: 5000 },
      { name: 'disk', url: '/mnt/disk', state: 'complete', objects: 0, bytes: 0 },
    ],
    damaged: [],
    elapsedMs: 1234,
  },
  migration: {
    plan: {
      objects: 10,
      bytes: 50_000,
      objectsToCopy: 4,
      bytesToCopy: 20_000,
      requests: { listAtSource: 3, readAtSource: 4, listAtTarget: 3, writeAtTarget: 4, readAtTarget: 10 },
      seconds: 3,
      secondsToCopy: 2,
      secondsToReadBack: 1,
    },
    state: 'complete',
    copiedObjects: 4,
    copiedBytes: 20_000,
    replacedObjects: 0,
    verifiedObjects: 10,
    verifiedBytes: 50_000,
    faults: [],
    elapsedMs: 1234,
  },
  probe: {
    steps: [
      { name: 'write', level: 'ok', message: '1000 bytes written in 3 ms' },
      { name: 'remove', level: 'note', message: 'these credentials may not delete; everything but prune works' },
    ],
    uploadBytesPerSecond: 5_000_000,
    downloadBytesPerSecond: 9_000_000,
    latencyMs: 12,
    canRemove: false,
    canReplace: true,
    leftBehind: [],
  },
  status: [
    {
      name: 'disk',
      url: '/mnt/disk',
      snapshots: 3,
      newestSnapshot: '2026-11-23T18:46:00.123456789Z',
      lagSnapshots: 0,
      lagSeconds: 0,
      objects: 12,
      bytes: 50_000,
      missingObjects: 0,
      missingBytes: 0,
      lastCheck: { time: '2026-11-23T20:00:00.000Z', readDataShare: 1, damages: 0 },
    },
    { name: 'nas', url: 'sftp://nas/backup', message: 'There is no answer' },
  ],
  compression: 'zstd',
  delivery: { state: 'told' },
}
