import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { expectNoBreakdown } from './outcomes.js'
import { bkp, bkpJson } from './run-bkp.js'

/** The passphrase of repositories that are copied into. */
export const targetPassphrase = 'another horse, another battery'
/** For commands on the target alone. */
export const asTarget = { env: { BKP_PASSWORD: targetPassphrase } }
export const bothPassphrases = { env: { BKP_TO_PASSWORD: targetPassphrase } }

export interface CopyReport {
  readonly snapshots: readonly {
    readonly source: string
    readonly target: string | null
    readonly state: string
    readonly faults: readonly { readonly path: string; readonly message: string }[]
  }[]
  readonly broken: readonly { readonly key: string }[]
  readonly stats: { readonly blobsRead: number; readonly newBytes: number; readonly storedBytes: number }
  readonly destinations: readonly { readonly state: string; readonly storedBytes: number }[]
}

export interface Listed {
  readonly id: string
  readonly time: string
  readonly parent: string | null
}

/** Runs `bkp copy`, which must end with a code. */
export async function copyOf(args: readonly string[], code = 0): Promise<CopyReport> {
  const ran = await bkp(['copy', ...args, '--json'], bothPassphrases)
  expectNoBreakdown(ran)
  expect(ran, ran.stdout + ran.stderr).toMatchObject({ code })
  return JSON.parse(ran.stdout) as CopyReport
}

export async function snapshotsOf(repository: string, options = {}): Promise<readonly Listed[]> {
  const document: unknown = await bkpJson(['snapshots', '--from', repository], options)
  return (document as { readonly snapshots: readonly Listed[] }).snapshots
}

/** A new repository with a passphrase of its own. */
export async function makeTarget(repository: string): Promise<string> {
  await bkpJson(['init', '--to', repository], asTarget)
  return repository
}

/** Objects of a repository but for sessions, by name and size. */
export function objectsOf(repository: string): readonly string[] {
  const found = readdirSync(repository, { recursive: true, encoding: 'utf8' })
  const objects = found.filter((name) => !name.startsWith('sessions'))
  // While somebody writes there, what was listed may have been renamed.
  const describe = (name: string) => {
    const stat = statSync(join(repository, name), { throwIfNoEntry: false })
    return stat?.isFile() ? [`${name} ${stat.size}`] : []
  }
  return objects.flatMap(describe).sort()
}

export function packsOf(repository: string): readonly string[] {
  return objectsOf(repository).filter((object) => object.startsWith('packs/'))
}

export async function expectSound(repository: string): Promise<void> {
  expect(await bkpJson(['check', '--from', repository, '--read-data'], asTarget)).toMatchObject({ damages: [] })
}
