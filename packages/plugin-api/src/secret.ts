const brand = Symbol.for('bkp.Secret')
const inspect = Symbol.for('nodejs.util.inspect.custom')
const shown = '[secret]'

/**
 * A passphrase, key or token that cannot be printed by accident: string conversion, JSON, template
 * literals and `util.inspect` all show `[secret]`. Only {@link Secret.reveal} gives the value.
 */
export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
    Object.defineProperty(this, brand, { value: true })
  }

  /** The value itself. Call it as late as possible and never keep the result. */
  reveal(): string {
    return this.#value
  }

  toString(): string {
    return shown
  }

  toJSON(): string {
    return shown
  }

  [inspect](): string {
    return shown
  }
}

/** Whether `value` is a {@link Secret}, of this or of another installed copy of plugin-api. */
export function isSecret(value: unknown): value is Secret {
  return typeof value === 'object' && value !== null && brand in value
}
