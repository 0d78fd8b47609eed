import type { FileReader, ReadOutcome } from '@bkp/plugin-api'
import { failureOf, type RunningGit, startGit } from './git.js'
import type { Refs } from './refs.js'

// One thread: with more, it depends on chance which objects become deltas of which, and the bytes would be new every time.
const packing = ['pack-objects', '--revs', '--stdout', '--delta-base-offset', '--threads=1', '-q']

/** Reads a bundle while git packs it. Nothing of it lies on the disk, and git waits while nobody reads. */
export class BundleReader implements FileReader {
  readonly extents = undefined
  /** Unknown. */
  readonly sizeBytes = 0
  readonly #repository: string
  readonly #git: RunningGit
  readonly #pieces: AsyncIterator<Buffer>
  #rest: Uint8Array
  #isAtEnd = false

  constructor(repository: string, { bundleHeader, tips }: Refs) {
    this.#repository = repository
    this.#rest = Buffer.from(bundleHeader)
    this.#git = startGit(repository, packing)
    this.#git.child.stdin.end(`${tips.join('\n')}\n`)
    this.#pieces = this.#git.child.stdout[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  }

  async read(into: Uint8Array): Promise<number> {
    while (this.#rest.length === 0 && !this.#isAtEnd) {
      const next = await this.#pieces.next()
      if (next.done === true) this.#isAtEnd = true
      else this.#rest = next.value
    }
    const count = Math.min(this.#rest.length, into.length)
    into.set(this.#rest.subarray(0, count))
    this.#rest = this.#rest.subarray(count)
    return count
  }

  /** @throws PortError when git failed: what came of the bundle is not to be trusted */
  async close(): Promise<ReadOutcome> {
    if (!this.#isAtEnd) this.#git.child.kill()
    this.#git.child.stdout.destroy()
    const ending = await this.#git.ended
    if (!this.#isAtEnd) return 'changed'
    if (ending.code !== 0) throw failureOf(this.#repository, ending)
    return 'stable'
  }
}
