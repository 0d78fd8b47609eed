import { createHash } from 'node:crypto'

declare const objectNameBrand: unique symbol
/** Hex SHA-256 of the stored bytes of an object. */
export type ObjectName = string & { readonly [objectNameBrand]: true }

export const descriptorKey = 'bkp.json'

export type ObjectFamily = 'keys' | 'packs' | 'index' | 'snapshots' | 'sessions' | 'condemned'

export interface ParsedKey {
  readonly family: ObjectFamily
  /** Hex; for all but sessions the SHA-256 of the content. */
  readonly name: string
}

const named =
  /^(?:(keys|index|snapshots|condemned)\/([0-9a-f]{64})|packs\/([0-9a-f]{2})\/(\3[0-9a-f]{62})|sessions\/([0-9a-f]{32}))$/

export function objectNameOf(bytes: Uint8Array): ObjectName {
  return createHash('sha256').update(bytes).digest('hex') as ObjectName
}

export function packKey(name: string): string {
  return `packs/${name.slice(0, 2)}/${name}`
}

export function indexKey(name: string): string {
  return `index/${name}`
}

export function snapshotKey(name: string): string {
  return `snapshots/${name}`
}

export function slotKey(name: string): string {
  return `keys/${name}`
}

/** What a key names; undefined for anything that is not ours. */
export function parseObjectKey(key: string): ParsedKey | undefined {
  const match = named.exec(key)
  if (match === null) return undefined
  if (match[1] !== undefined) return { family: match[1] as ObjectFamily, name: match[2] as string }
  if (match[4] !== undefined) return { family: 'packs', name: match[4] }
  return { family: 'sessions', name: match[5] as string }
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')
}

/** @returns undefined unless `text` is exactly `bytes` bytes in lower-case hex */
export function fromHex(text: unknown, bytes: number): Uint8Array | undefined {
  if (typeof text !== 'string' || text.length !== bytes * 2 || !/^[0-9a-f]*$/.test(text)) return undefined
  return new Uint8Array(Buffer.from(text, 'hex'))
}

/** Ids as the words that tables and readers take: eight per id, in memory of their own. */
export function wordsOf(ids: Uint8Array): Uint32Array {
  return new Uint32Array(new Uint8Array(ids).buffer)
}
