import { Excludes } from '../backup/excludes.js'
import type { WalkRoot } from '../browse/tree-walker.js'

/** Which entries of a snapshot are wanted: gitignore patterns for what to take and what to leave. */
export class Selection {
  readonly #include: Excludes
  readonly #exclude: Excludes

  constructor(include: readonly string[], exclude: readonly string[]) {
    this.#include = new Excludes(include)
    this.#exclude = new Excludes(exclude)
  }

  /** Directories pass an include: what is wanted may lie below them. */
  wants(path: readonly Uint8Array[], isDirectory: boolean): boolean {
    if (this.#include.isEmpty && this.#exclude.isEmpty) return true
    const relative = path.map((name) => Buffer.from(name).toString()).join('/')
    if (this.#exclude.matches(relative, isDirectory)) return false
    return this.#include.isEmpty || isDirectory || this.#include.matches(relative, false)
  }
}

/** Whether a directory lies in what was backed up, and not only above it: only then does the snapshot know all of it. */
export function isCovered(root: Pick<WalkRoot, 'prefix' | 'backedUp'>, directory: readonly Uint8Array[]): boolean {
  const path = [...root.prefix, ...directory]
  return root.backedUp.some(
    (backedUp) =>
      backedUp.length <= path.length &&
      backedUp.every((name, at) => Buffer.compare(name, path[at] as Uint8Array) === 0),
  )
}
