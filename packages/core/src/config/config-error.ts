import { BkpError } from '../errors/index.js'

/** One thing that is wrong, or odd, in a configuration file. Never holds a value: it may be a secret. */
export interface ConfigProblem {
  readonly level: 'error' | 'warning'
  /** From 1; 0 when it is about the whole file. */
  readonly line: number
  readonly column: number
  /** Keys from the outermost, joined by dots; empty for the whole file. */
  readonly path: string
  readonly message: string
}

/** `config.yaml:12:5: repositories.home.destinatoins is not known; …` */
export function problemLine(file: string, { line, column, path, message }: ConfigProblem): string {
  const place = line === 0 ? file : `${file}:${line}:${column}`
  return `${place}: ${path === '' ? '' : `${path} `}${message}`
}

const brand = Symbol.for('bkp.ConfigError')

/** A configuration that cannot be used, with all that is wrong with it. */
export class ConfigError extends BkpError {
  readonly problems: readonly ConfigProblem[]

  constructor(file: string, problems: readonly ConfigProblem[]) {
    const lines = problems.map((problem) => problemLine(file, problem))
    const head = lines.length === 1 ? '' : `The configuration has ${lines.length} errors:\n`
    super('usage', head + lines.join('\n'), { hint: 'Correct it (bkp config edit), then see: bkp config validate' })
    this.problems = problems
    Object.defineProperty(this, brand, { value: true })
  }
}

export function isConfigError(value: unknown): value is ConfigError {
  return typeof value === 'object' && value !== null && brand in value
}
