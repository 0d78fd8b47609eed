import ignore, { type Ignore } from 'ignore'

/** Bytes of a CACHEDIR.TAG that mark a cache directory (https://bford.info/cachedir/). */
export const cacheDirectoryTag = 'CACHEDIR.TAG'
export const cacheDirectorySignature = 'Signature: 8a477f597d28d172789f06886806bc55'

// The library remembers every path it was asked for; a new instance now and then keeps memory flat.
const askedBeforeRenewal = 20_000

/**
 * gitignore patterns, relative to the path that is backed up. Names are compared as UTF-8 text; bytes that are not UTF-8
 * count as U+FFFD.
 */
export class Excludes {
  readonly #patterns: readonly string[]
  #matcher: Ignore
  #asked = 0

  constructor(patterns: readonly string[]) {
    this.#patterns = patterns
    this.#matcher = ignore({ allowRelativePaths: true }).add([...patterns])
  }

  get isEmpty(): boolean {
    return this.#patterns.length === 0
  }

  /** @param relative path below the root of the backup, `/`-separated, without a leading `/` */
  matches(relative: string, isDirectory: boolean): boolean {
    if (this.#patterns.length === 0 || relative === '') return false
    if (++this.#asked > askedBeforeRenewal) {
      this.#asked = 0
      this.#matcher = ignore({ allowRelativePaths: true }).add([...this.#patterns])
    }
    return this.#matcher.ignores(isDirectory ? `${relative}/` : relative)
  }
}

/** @param rootLength length of the part of `path` that is the backup's root */
export function isExcludedPath(
  excludes: Excludes,
  path: Uint8Array,
  rootLength: number,
  isDirectory: boolean,
): boolean {
  if (excludes.isEmpty) return false
  const relative = Buffer.from(path.subarray(rootLength)).toString().replace(/^\//, '')
  return excludes.matches(relative, isDirectory)
}
