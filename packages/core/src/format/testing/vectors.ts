import { readFileSync } from 'node:fs'

/** What make-vectors.py wrote: the format as a program says it that shares no code with this one. Bytes are hex. */
export interface Vectors {
  readonly masterKey: string
  readonly repository: string
  readonly passphrase: string
  readonly keys: Readonly<Record<string, string>>
  readonly gear: string
  readonly descriptor: Readonly<Record<string, unknown>>
  readonly passphraseSlot: Readonly<Record<string, unknown>>
  readonly recoverySlot: Readonly<Record<string, unknown>>
  readonly recovery: { readonly bytes: string; readonly code: string }
  readonly objectKey: string
  readonly object: string
  readonly pack: { readonly bytes: string; readonly rows: string; readonly blobs: readonly string[] }
  readonly index: string
  readonly tree: string
  readonly snapshot: Readonly<Record<string, unknown>>
}

export const vectors = JSON.parse(readFileSync(new URL('vectors.json', import.meta.url), 'utf8')) as Vectors

export function bytesOf(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'))
}

export function jsonBytes(value: unknown): Uint8Array {
  return new Uint8Array(Buffer.from(JSON.stringify(value)))
}
