import type { SourceEntry } from '@bkp/plugin-api'
import type { BackupTaskResult } from './protocol.js'

/** A directory with more files to read than this gives some of them away when other threads have nothing to do. */
const filesPerBatch = 64
const bytesPerBatch = 32 * 1024 * 1024
/** A file this large is given away also where few are left: that takes microseconds, to read it takes milliseconds. */
const worthGivingBytes = 1024 * 1024

/** @param unread files that are left in the directory behind it */
export function isWorthGiving(entry: SourceEntry, unread: number): boolean {
  return unread >= filesPerBatch || entry.sizeBytes >= worthGivingBytes
}

/** Files that are going to another thread, and the place that their entries will take in the directory. */
export class FileBatch {
  readonly entries: SourceEntry[] = []
  /** What they become, encoded and in order. */
  readonly encoded: Promise<Uint8Array>
  #bytes = 0
  #resolve: (entries: Uint8Array) => void = () => undefined
  #reject: (error: unknown) => void = () => undefined

  constructor() {
    this.encoded = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  /** @returns whether it is full */
  add(entry: SourceEntry): boolean {
    this.entries.push(entry)
    this.#bytes += entry.sizeBytes
    return this.entries.length >= filesPerBatch || this.#bytes >= bytesPerBatch
  }

  /** Takes what the other thread says. */
  become(saved: Promise<BackupTaskResult>): void {
    saved.then((result) => this.#resolve(result.kind === 'entries' ? result.entries : new Uint8Array(0)), this.#reject)
  }
}
