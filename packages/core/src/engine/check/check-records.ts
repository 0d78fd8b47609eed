import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { replaceFile } from '../../files/replace-file.js'
import { objectNameOf } from '../../format/ids.js'
import type { CheckRecord } from '../api.js'

/**
 * What checks of destinations found, remembered on this machine only: one small file for each destination. Nothing depends on
 * it, so that one that cannot be read or written is none.
 */
export class CheckRecords {
  readonly #directory: string

  constructor(stateDirectory: string) {
    this.#directory = join(stateDirectory, 'checks')
  }

  async latest(repositoryId: string, url: string): Promise<CheckRecord | undefined> {
    try {
      const record: unknown = JSON.parse(await readFile(this.#fileOf(repositoryId, url), 'utf8'))
      return isRecord(record) ? record : undefined
    } catch {
      return undefined
    }
  }

  async remember(repositoryId: string, url: string, record: CheckRecord): Promise<void> {
    try {
      await replaceFile(this.#fileOf(repositoryId, url), `${JSON.stringify(record)}\n`, { isDurable: false })
    } catch {
      // A check that went well must not fail because this machine has no place to remember it.
    }
  }

  #fileOf(repositoryId: string, url: string): string {
    return join(this.#directory, `${repositoryId}-${objectNameOf(Buffer.from(url)).slice(0, 16)}.json`)
  }
}

function isRecord(value: unknown): value is CheckRecord {
  if (typeof value !== 'object' || value === null) return false
  const { time, readDataShare, damages } = value as Partial<Record<keyof CheckRecord, unknown>>
  return typeof time === 'string' && typeof readDataShare === 'number' && typeof damages === 'number'
}
