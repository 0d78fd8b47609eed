import { BkpError, damaged } from '../errors/index.js'
import { fromHex } from './ids.js'
import { isStringArray, isTimestamp, parseJsonObject } from './json.js'
import { type SnapshotPlugin, soundPlugins } from './snapshot-plugins.js'

/** A byte string in JSON: `base64` is exact, `text` is for people. */
export interface JsonBytes {
  readonly text: string
  readonly base64: string
}

export interface SnapshotIssue {
  readonly path: JsonBytes
  readonly kind: string
  readonly message: string
}

/** The snapshot of another repository that this one is a copy of. */
export interface OriginalSnapshot {
  /** Hex id of that repository. */
  readonly repository: string
  /** Hex id of the snapshot there. */
  readonly snapshot: string
  /** What copied it. */
  readonly program: string
}

/** The payload of a snapshot object. */
export interface Snapshot {
  readonly version: 1
  /** When reading began: ISO 8601 with nanoseconds, UTC. */
  readonly time: string
  readonly finished: string
  readonly hostname: string
  readonly username: string
  readonly program: string
  readonly source: string
  readonly paths: readonly JsonBytes[]
  readonly tags: readonly string[]
  readonly excludes: readonly string[]
  /** Ids of the tree blobs of the root, in hex. */
  readonly tree: readonly string[]
  readonly parent: string | null
  readonly stats: Readonly<Record<string, number>>
  readonly issues: readonly SnapshotIssue[]
  /** Only in copies. */
  readonly original?: OriginalSnapshot
  /** Who has what it was written with and did not come with bkp; for error messages alone. */
  readonly plugins?: readonly SnapshotPlugin[]
}

export const maxIssuesInSnapshot = 1000

export function encodeSnapshot(snapshot: Snapshot): Uint8Array {
  return Buffer.from(JSON.stringify(snapshot))
}

/** @throws BkpError `damaged`, `unsupported` */
export function parseSnapshot(payload: Uint8Array): Snapshot {
  const json = parseJsonObject(payload, 'A snapshot')
  if (typeof json.version !== 'number') throw damaged('A snapshot is damaged: it has no version')
  if (json.version !== 1) {
    throw new BkpError('unsupported', `A snapshot has the version ${json.version}, which this version does not know`, {
      hint: 'Upgrade bkp; nothing is damaged',
    })
  }
  const texts = ['hostname', 'username', 'program', 'source'] as const
  const isWhole =
    texts.every((name) => typeof json[name] === 'string') &&
    isTimestamp(json.time) &&
    isTimestamp(json.finished) &&
    Array.isArray(json.paths) &&
    json.paths.every(isJsonBytes) &&
    isStringArray(json.tags) &&
    isStringArray(json.excludes) &&
    Array.isArray(json.tree) &&
    json.tree.length > 0 &&
    json.tree.every((id) => fromHex(id, 32) !== undefined) &&
    (json.parent === null || fromHex(json.parent, 32) !== undefined) &&
    isNumbers(json.stats) &&
    Array.isArray(json.issues) &&
    json.issues.every(isIssue) &&
    (json.original === undefined || isOriginal(json.original))
  if (!isWhole) throw damaged('A snapshot is damaged: a member is missing or has the wrong form')
  if (json.plugins === undefined) return json as unknown as Snapshot
  return { ...json, plugins: soundPlugins(json.plugins) } as unknown as Snapshot
}

export function toJsonBytes(bytes: Uint8Array): JsonBytes {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  return { text: buffer.toString('utf8'), base64: buffer.toString('base64') }
}

export function fromJsonBytes(json: JsonBytes): Uint8Array {
  return new Uint8Array(Buffer.from(json.base64, 'base64'))
}

/** The root's tree ids as they stand in trees. */
export function rootTreeOf(snapshot: Snapshot): Uint8Array {
  return Buffer.concat(snapshot.tree.map((id) => Buffer.from(id, 'hex')))
}

function isJsonBytes(value: unknown): value is JsonBytes {
  const bytes = value as Partial<JsonBytes> | null
  return (
    typeof bytes === 'object' &&
    bytes !== null &&
    typeof bytes.text === 'string' &&
    typeof bytes.base64 === 'string' &&
    // Decoding skips what is no base64 without a word.
    Buffer.from(bytes.base64, 'base64').toString('base64') === bytes.base64
  )
}

function isIssue(value: unknown): value is SnapshotIssue {
  const issue = value as Partial<SnapshotIssue> | null
  return (
    typeof issue === 'object' &&
    issue !== null &&
    isJsonBytes(issue.path) &&
    typeof issue.kind === 'string' &&
    typeof issue.message === 'string'
  )
}

function isOriginal(value: unknown): value is OriginalSnapshot {
  const original = value as Partial<OriginalSnapshot> | null
  return (
    typeof original === 'object' &&
    original !== null &&
    fromHex(original.repository, 16) !== undefined &&
    fromHex(original.snapshot, 32) !== undefined &&
    typeof original.program === 'string'
  )
}

function isNumbers(value: unknown): value is Record<string, number> {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((item) => Number.isFinite(item))
  )
}
