/** Which packs there are: 40 bytes each (name, size, kind), numbered in order of discovery. */
export type PackKind = 'data' | 'metadata'

export class PackRegistry {
  #names = new Uint8Array(32 * 64)
  #sizes = new Uint32Array(64)
  #kinds = new Uint8Array(64)
  readonly #byName = new Map<string, number>()
  #count = 0

  get count(): number {
    return this.#count
  }

  /** Enters a pack, or gives the number it has. `name` is hex. */
  add(name: string, sizeBytes: number, kind: PackKind): number {
    const known = this.#byName.get(name)
    if (known !== undefined) return known
    if (this.#count === this.#kinds.length) this.#grow()
    const number = this.#count++
    this.#names.set(Buffer.from(name, 'hex'), number * 32)
    this.#sizes[number] = sizeBytes
    this.#kinds[number] = kind === 'data' ? 1 : 2
    this.#byName.set(name, number)
    return number
  }

  has(name: string): boolean {
    return this.#byName.has(name)
  }

  nameOf(number: number): string {
    if (number < 0 || number >= this.#count) throw new RangeError(`There is no pack number ${number}`)
    return Buffer.from(this.#names.buffer, number * 32, 32).toString('hex')
  }

  sizeOf(number: number): number {
    return this.#sizes[number] as number
  }

  kindOf(number: number): PackKind {
    return this.#kinds[number] === 1 ? 'data' : 'metadata'
  }

  #grow(): void {
    const capacity = this.#kinds.length * 2
    const names = new Uint8Array(32 * capacity)
    names.set(this.#names)
    this.#names = names
    const sizes = new Uint32Array(capacity)
    sizes.set(this.#sizes)
    this.#sizes = sizes
    const kinds = new Uint8Array(capacity)
    kinds.set(this.#kinds)
    this.#kinds = kinds
  }
}
