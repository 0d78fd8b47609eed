import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Bytes in a form that a file can hold in few characters: `base64` repeated `times`. */
export interface GoldenBytes {
  readonly base64: string
  /** Default 1. */
  readonly times?: number
}

/** What a codec wrote once. */
export interface GoldenCompression {
  readonly name: string
  readonly plain: GoldenBytes
  readonly compressed: string
}

/** What a cipher makes of a key, a nonce, an aad and a plaintext; all in Base64 but the plaintext. */
export interface GoldenSealing {
  readonly name: string
  readonly key: string
  readonly nonce: string
  readonly aad: string
  readonly plain: GoldenBytes
  readonly sealed: string
}

/** The file in a plugin's repository that pins its bytes for ever. */
export interface GoldenFile<T> {
  readonly bkpGolden: 1
  readonly port: 'compression' | 'encryption'
  readonly id: string
  readonly vectors: readonly T[]
}

/** Whether golden files may be written: `BKP_GOLDEN=update` in the environment. */
export function mayUpdateGolden(): boolean {
  return process.env.BKP_GOLDEN === 'update'
}

/** What to type to write a golden file. */
export const goldenHint = 'Write it once with BKP_GOLDEN=update npm test, and commit it'

/**
 * The file, or undefined when there is none.
 * @throws Error when it is of another plugin, or cannot be understood
 */
export function readGolden<T>(file: URL, port: GoldenFile<T>['port'], id: string): GoldenFile<T> | undefined {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  const golden = JSON.parse(text) as GoldenFile<T>
  const path = fileURLToPath(file)
  if (golden.bkpGolden !== 1) throw new Error(`${path} is no golden file that this testkit can read`)
  if (golden.port !== port || golden.id !== id)
    throw new Error(`${path} belongs to the ${golden.port} "${golden.id}", not to the ${port} "${id}"`)
  return golden
}

export function writeGolden<T>(file: URL, golden: GoldenFile<T>): void {
  writeFileSync(file, `${JSON.stringify(golden, undefined, 2)}\n`)
}

export function bytesOf({ base64, times = 1 }: GoldenBytes): Uint8Array {
  const piece = Buffer.from(base64, 'base64')
  return Uint8Array.from(Buffer.concat(Array.from({ length: times }, () => piece)))
}

export function base64Of(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}
