import type { SourceEntry, Target } from '@bkp/plugin-api'
import type { TreeCursor } from '../../format/tree-cursor.js'
import type { OverwriteMode } from '../api.js'

type Path = readonly Uint8Array[]

/** What an overwrite mode says about one entry: write it, leave one that is the same, leave another. */
export type Verdict = 'write' | 'same' | 'keep'

/**
 * What was in the target folder before the restore, as far as the restore meets it: decides what may be replaced and
 * what is superfluous. Directories that the restore makes itself are never looked into.
 */
export class TargetState {
  readonly #target: Target | undefined
  readonly #mode: OverwriteMode
  /** Directories that were there before. */
  readonly #present = new Set<string>()
  /** Every path of the snapshot inside of them. */
  readonly #wanted = new Set<string>()
  /** Directories of which the snapshot does not know all that belongs into them. */
  readonly #incomplete = new Set<string>()

  /** @param target undefined when nothing is there, as for a dry run into a folder that does not exist */
  constructor(target: Target | undefined, mode: OverwriteMode) {
    this.#target = target
    this.#mode = mode
  }

  /** Called for the target folder itself. */
  noteRoot(): void {
    if (this.#target !== undefined && this.#target.list([]).length > 0) this.#present.add('')
  }

  /** Whether there was nothing in the target folder. */
  get wasEmpty(): boolean {
    return this.#present.size === 0
  }

  noteDirectory(path: Path): void {
    this.#present.add(keyOf(path))
  }

  noteWanted(path: Path): void {
    if (this.#isPresent(path.slice(0, -1))) this.#wanted.add(keyOf(path))
  }

  noteIncomplete(path: Path): void {
    this.#incomplete.add(keyOf(path))
  }

  inspect(path: Path): SourceEntry | undefined {
    return this.#isPresent(path.slice(0, -1)) ? this.#target?.inspect(path) : undefined
  }

  judge(there: SourceEntry | undefined, cursor: TreeCursor): Verdict {
    if (there === undefined) return 'write'
    const isSame =
      there.kind === cursor.kind &&
      there.sizeBytes === cursor.sizeBytes &&
      there.mtimeSeconds === cursor.mtimeSeconds &&
      there.mtimeNanoseconds === cursor.mtimeNanoseconds
    if (this.#mode === 'if-changed') return isSame ? 'same' : 'write'
    return this.#mode === 'never' ? (isSame ? 'same' : 'keep') : 'write'
  }

  isEmptyDirectory(path: Path): boolean {
    return this.#target !== undefined && this.#target.list(path).length === 0
  }

  /**
   * What is in the target and not in the snapshot. Only directories that the snapshot knows in full count: not those
   * above what was backed up, and not those that could not be read, then or now.
   */
  *superfluous(isCovered: (path: Path) => boolean): Generator<Path> {
    for (const key of this.#present) {
      const directory = pathOf(key)
      if (this.#target === undefined || this.#incomplete.has(key) || !isCovered(directory)) continue
      for (const name of this.#target.list(directory)) {
        const path = [...directory, name]
        if (!this.#wanted.has(keyOf(path))) yield path
      }
    }
  }

  #isPresent(path: Path): boolean {
    // Into an empty folder nothing is asked for: the key of a path takes as long as the path is deep.
    return this.#present.size > 0 && this.#present.has(keyOf(path))
  }
}

function keyOf(path: Path): string {
  return path.map((name) => Buffer.from(name).toString('latin1')).join('/')
}

function pathOf(key: string): Path {
  return key === '' ? [] : key.split('/').map((name) => new Uint8Array(Buffer.from(name, 'latin1')))
}
