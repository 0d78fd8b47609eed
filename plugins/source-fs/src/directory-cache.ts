import { checkName } from './names.js'
import { closeDirectory, type OpenDirectory, openInside, openPath } from './place.js'

/** Directories below the root that are held open at a time. */
const capacity = 128
/** Of a long way down, the last directories are held as well: who comes from below goes to them next. */
const heldAncestors = 64

/** Opens directories component by component from the root, without following symlinks, and keeps the latest used open. */
export class DirectoryCache {
  readonly #root: OpenDirectory
  readonly #open = new Map<string, OpenDirectory>()
  #last: { readonly path: readonly Uint8Array[]; readonly directory: OpenDirectory } | undefined

  constructor(root: string) {
    this.#root = openPath(Buffer.from(root))
  }

  keyOf(path: readonly Uint8Array[]): string {
    return path.map((name) => `${Buffer.from(name).toString('latin1')}/`).join('')
  }

  /** @throws system errors; ELOOP or ENOTDIR when a component is no directory */
  open(path: readonly Uint8Array[]): OpenDirectory {
    if (path.length === 0) return this.#root
    // Files of one folder come one after the other, with the same components.
    const last = this.#last
    if (last?.path.length === path.length && path.every((name, n) => name === last.path[n])) return last.directory
    const directory = this.#find(path)
    this.#last = { path, directory }
    return directory
  }

  #find(path: readonly Uint8Array[]): OpenDirectory {
    const key = this.keyOf(path)
    const held = this.#open.get(key)
    if (held !== undefined) {
      this.#open.delete(key)
      this.#open.set(key, held)
      return held
    }
    return this.#descend(path, key)
  }

  #hold(key: string, directory: OpenDirectory): void {
    this.#open.set(key, directory)
    if (this.#open.size <= capacity) return
    const [oldest] = this.#open
    if (oldest === undefined) return
    this.#open.delete(oldest[0])
    closeDirectory(oldest[1])
  }

  /** Closes a directory and all below it, because it is going to be removed. */
  forget(path: readonly Uint8Array[]): void {
    this.#last = undefined
    const key = this.keyOf(path)
    for (const [name, directory] of this.#open) {
      if (!name.startsWith(key)) continue
      this.#open.delete(name)
      closeDirectory(directory)
    }
  }

  close(): void {
    this.forget([])
    closeDirectory(this.#root)
  }

  /** Mostly the parent. Else it is looked for among those that are open: to try every ancestor takes long where paths are deep. */
  #nearest(key: string): string {
    const parent = key.slice(0, key.lastIndexOf('/', key.length - 2) + 1)
    if (this.#open.has(parent)) return parent
    let nearest = ''
    for (const held of this.#open.keys()) if (held.length > nearest.length && key.startsWith(held)) nearest = held
    return nearest
  }

  /** From the nearest ancestor that is open, one component at a time. */
  #descend(path: readonly Uint8Array[], key: string): OpenDirectory {
    const nearest = this.#nearest(key)
    let current = this.#open.get(nearest) ?? this.#root
    let currentKey = nearest
    let isHeld = true
    for (let at = nearest.split('/').length - 1; at < path.length; at++) {
      const name = checkName(path[at])
      let next: OpenDirectory
      try {
        next = openInside(current, name)
      } finally {
        if (!isHeld) closeDirectory(current)
      }
      current = next
      currentKey += this.keyOf([name])
      isHeld = at >= path.length - heldAncestors
      if (isHeld) this.#hold(currentKey, current)
    }
    return current
  }
}
