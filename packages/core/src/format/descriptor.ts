import { createHmac, timingSafeEqual } from 'node:crypto'
import { BkpError, damaged } from '../errors/index.js'
import { fromHex } from './ids.js'
import { isStringArray, isTimestamp, parseJsonObject } from './json.js'
import { maxSmallObjectBytes } from './limits.js'

export const formatVersion = 1
export type Operation = 'read' | 'write' | 'check'

/** What `bkp.json` says. */
export interface Descriptor {
  /** 32 hex digits. */
  readonly repository: string
  /** ISO 8601. */
  readonly created: string
  readonly features: Readonly<Record<Operation, readonly string[]>>
  /** 64 hex digits. */
  readonly mac: string
}

export function createDescriptor(repository: string, created: string, key: Uint8Array): Descriptor {
  const features = { read: [], write: [], check: [] }
  return { repository, created, features, mac: macOf({ repository, created, features }, key).toString('hex') }
}

export function encodeDescriptor(descriptor: Descriptor): Uint8Array {
  return Buffer.from(`${JSON.stringify({ magic: 'bkp', format: formatVersion, ...descriptor }, undefined, 2)}\n`)
}

/** @throws BkpError `no-repository`, `damaged`, `unsupported` */
export function parseDescriptor(bytes: Uint8Array): Descriptor {
  if (bytes.length > maxSmallObjectBytes) throw damaged('bkp.json is larger than it can be')
  const json = parseJsonObject(bytes, 'bkp.json')
  const { magic, format, repository, created, features, mac } = json
  if (magic !== 'bkp') throw new BkpError('no-repository', 'bkp.json is not the descriptor of a bkp repository')
  if (typeof format !== 'number') throw damaged('bkp.json is damaged: it has no format version')
  if (format !== formatVersion) throw unsupported(`the format version ${format}`)
  const lists = features as Record<Operation, unknown> | null | undefined
  if (
    fromHex(repository, 16) === undefined ||
    fromHex(mac, 32) === undefined ||
    !isTimestamp(created) ||
    typeof lists !== 'object' ||
    lists === null ||
    !isFeatureList(lists.read) ||
    !isFeatureList(lists.write) ||
    !isFeatureList(lists.check)
  ) {
    throw damaged('bkp.json is damaged: a member is missing or has the wrong form')
  }
  const { read, write, check } = lists
  return { repository: repository as string, created, features: { read, write, check }, mac: mac as string }
}

/** @throws BkpError `unsupported` when an operation needs a feature that this version does not have */
export function requireFeatures(descriptor: Descriptor, operation: Operation): void {
  const unknown = descriptor.features[operation][0]
  if (unknown !== undefined) throw unsupported(`the feature "${unknown}" (to ${operation})`)
}

/** @throws BkpError `damaged` when the descriptor was changed by somebody without the key */
export function verifyDescriptor(descriptor: Descriptor, key: Uint8Array): void {
  if (!timingSafeEqual(macOf(descriptor, key), Buffer.from(descriptor.mac, 'hex'))) {
    throw damaged('bkp.json was changed: its authentication code does not fit')
  }
}

// Names without commas and line breaks, for the code is over a text that separates them by these.
function isFeatureList(value: unknown): value is string[] {
  return isStringArray(value) && value.every((name) => /^[a-z0-9.-]{1,64}$/.test(name))
}

function macOf(descriptor: Omit<Descriptor, 'mac'>, key: Uint8Array): Buffer {
  const { read, write, check } = descriptor.features
  const lines = [
    'bkp-descriptor',
    '1',
    descriptor.repository,
    descriptor.created,
    read.join(','),
    write.join(','),
    check.join(','),
  ]
  return createHmac('sha256', key)
    .update(lines.map((line) => `${line}\n`).join(''))
    .digest()
}

function unsupported(what: string): BkpError {
  return new BkpError('unsupported', `This repository uses ${what}, which this version of bkp does not know`, {
    hint: 'Upgrade bkp; nothing is damaged',
  })
}
