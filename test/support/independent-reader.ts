import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { DescribedEntry } from '../vectors/describe-tree.mjs'
import type { Ran } from './run-bkp.js'

export function vector(path: string): string {
  return fileURLToPath(new URL(`../vectors/${path}`, import.meta.url))
}

/** A file of one line. */
export function vectorLine(path: string): string {
  return readFileSync(vector(path), 'utf8').replace(/\n$/, '')
}

export interface ExpectedSnapshot {
  readonly id: string
  readonly parent: string | null
  readonly hostname: string
  readonly paths: readonly string[]
  readonly tags: readonly string[]
  readonly issues: readonly { readonly kind: string; readonly path: string; readonly message: string }[]
  readonly stats: Readonly<Record<string, number>>
  readonly entries: readonly DescribedEntry[]
}

interface TextAndBytes {
  readonly text: string
  readonly base64: string
}

/** What the reader prints of a snapshot: the JSON of docs/format.md, section 8, and its id. */
export interface ReadSnapshot extends Omit<ExpectedSnapshot, 'paths' | 'issues' | 'entries'> {
  readonly paths: readonly TextAndBytes[]
  readonly issues: readonly { readonly kind: string; readonly path: TextAndBytes; readonly message: string }[]
}

/** What test/vectors/repository holds, the older snapshot first. */
export function expectedSnapshots(): readonly [ExpectedSnapshot, ExpectedSnapshot] {
  return JSON.parse(readFileSync(vector('expected.json'), 'utf8')).snapshots
}

/** Runs the reader that was written from docs/format.md alone. */
export function read(repository: string, secret: string, ...args: readonly string[]): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [vector('reader/reader.mjs'), repository, secret, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text
    })
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stdout, stderr }))
  })
}

/** Runs a command of the reader that must succeed and gives what it prints. */
export async function readJson<T>(repository: string, secret: string, ...args: readonly string[]): Promise<T> {
  const { code, stdout, stderr } = await read(repository, secret, ...args)
  if (code !== 0) throw new Error(`The reader ended with ${code}: ${stderr}`)
  return JSON.parse(stdout) as T
}
