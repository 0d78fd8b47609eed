import { Excludes } from '../backup/excludes.js'

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
