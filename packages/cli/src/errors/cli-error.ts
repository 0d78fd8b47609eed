/** An error of the command line itself: what happened, to what, and what to do. */
export class CliError extends Error {
  override readonly name: string = 'CliError'
  readonly code: 'usage' | 'source-unreadable' | 'failure'
  readonly hint: string | undefined

  constructor(code: 'usage' | 'source-unreadable' | 'failure', message: string, hint?: string) {
    super(message)
    this.code = code
    this.hint = hint
  }
}

/** The command line asks for something that cannot be: exit code 2. */
export class UsageError extends CliError {
  constructor(message: string, hint?: string) {
    super('usage', message, hint)
  }
}
