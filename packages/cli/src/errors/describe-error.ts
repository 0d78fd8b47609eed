import { CliError } from './cli-error.js'
import { exitCodeFor } from './exit-codes.js'

/** An error as it is shown and as it stands in JSON. */
export interface DescribedError {
  readonly code: string
  readonly message: string
  readonly hint?: string
  readonly exitCode: number
}

const knownErrors = [Symbol.for('bkp.BkpError'), Symbol.for('bkp.PortError')]

/** What to do when whoever made the error did not say. */
const defaultHints: Readonly<Record<string, string>> = {
  'no-repository': 'Check the address, or create a repository there: bkp init --to URL',
  'repository-exists': 'Use it as it is (bkp backup PATH --to URL), or choose another place',
  'wrong-passphrase': 'Try again, or use the recovery code: --recovery-code',
  damaged: 'See what is lost: bkp check --read-data --from URL',
  corrupt: 'See what is lost: bkp check --read-data --from URL',
  unsupported: 'See what works here: bkp doctor',
  'source-unreadable': 'Check that the paths exist and that you may read them',
  storage: 'Check the storage, then run the same command again: what is stored already is used',
  'missing-plugin': 'See what is installed: bkp plugins:list',
  'plugin-failed': 'See what works here: bkp doctor',
  'plugin-refused': 'See which plugins are approved: bkp plugins:audit',
  'not-found': 'See what there is: bkp ls SNAP, bkp snapshots',
  'disk-full': 'Make room, then run the same command again: what is stored already is used',
  quota: 'Make room, then run the same command again: what is stored already is used',
  config: 'Put that right, then run the same command again',
  auth: 'Check the credentials',
  forbidden: 'Check who owns the files, and what this user may do with them',
  transient: 'Run the same command again: what is stored already is used',
  throttled: 'Wait a while, then run the same command again: what is stored already is used',
  offline: 'Check the connection, then run the same command again',
  internal: 'This is a fault of bkp. Please report it, with what DEBUG=bkp:* prints',
}

function defaultHint(code: string, command: string): string | undefined {
  // Who is checking already needs another place that has it sound.
  if (code === 'damaged' && command === 'check') return healHint
  return defaultHints[code]
}

const healHint = 'Heal it from another destination: bkp check --from URL --from SOUND-URL --heal'

/**
 * @param interruptedBy the signal that ended the run, if one did
 * @param command id of the command, for its help
 * @param from flags that name the repository, once that is known, for commands that are hints
 */
export function describeError(error: unknown, command: string, interruptedBy?: string, from?: string): DescribedError {
  const described = describe(error, command, interruptedBy)
  const { hint } = described
  return hint === undefined || from === undefined ? described : { ...described, hint: withPlace(hint, from) }
}

/** Whoever made the error does not know how its place was named. */
function withPlace(hint: string, from: string): string {
  return hint
    .replace(/(?<=\bbkp check .*)--from URL\b/, () => from)
    .replace(/\bbkp (snapshots|check|ls [0-9a-f]+)$/, (command) => `${command} ${from}`)
}

function describe(error: unknown, command: string, interruptedBy?: string): DescribedError {
  if (interruptedBy !== undefined) {
    const goesOn = 'What is stored already stays: run the same command again, and it goes on from there'
    const hint = command === 'backup' ? goesOn : 'Run the same command again'
    return {
      code: 'interrupted',
      message: `Interrupted by ${interruptedBy}`,
      hint,
      exitCode: exitCodeFor('interrupted'),
    }
  }
  if (error instanceof Error && error.name === 'ExitPromptError') {
    return {
      code: 'interrupted',
      message: 'Interrupted at the question',
      hint: 'Nothing was done',
      exitCode: exitCodeFor('interrupted'),
    }
  }
  const message = error instanceof Error ? error.message : String(error)
  const { code, hint } = (error ?? {}) as { readonly code?: unknown; readonly hint?: unknown }
  if (typeof code === 'string' && (isKnown(error) || (error instanceof CliError && code !== 'usage'))) {
    const fallback = code === 'usage' ? usageHint(message, command) : defaultHint(code, command)
    return { code, message, ...hintOf(hint ?? fallback), exitCode: exitCodeFor(code) }
  }
  if (code === 'usage' || isOfParser(error)) {
    const own = withoutOclifFrame(message)
    return { code: 'usage', message: own, ...hintOf(hint ?? usageHint(own, command)), exitCode: exitCodeFor('usage') }
  }
  if (typeof code === 'string' && typeof (error as NodeJS.ErrnoException).syscall === 'string') {
    return { code: 'failure', message, exitCode: exitCodeFor('failure') }
  }
  return { code: 'internal', message, ...hintOf(defaultHints.internal), exitCode: exitCodeFor('internal') }
}

// oclif puts its messages between an introduction and a pointer to the help, and has words of its own.
function withoutOclifFrame(message: string): string {
  return (
    message
      .replace(/^The following errors? occurred:\s*/, '')
      .replace(/\nSee more help with --help$/, '')
      .replace(/^command (config|destinations|plugins):([^:]*)(:.*)? not found$/, 'There is no command "$1 $2"')
      // What follows a command that takes no arguments is taken for a part of its name.
      .replace(
        /^command ([a-z-]+):(.*[^a-z:-].*) not found$/,
        '"$1" takes no argument "$2"; a repository is named by --to or --from',
      )
      .replace(/^command (\S+) not found$/, (_, name: string) => `There is no command "${name.replaceAll(':', ' ')}"`)
      .replace(/^Nonexistent flags?: (.+)$/m, 'There is no flag $1')
      // Wrong here: a flag takes one value each time that it is given.
      .replace(/\n\nNote: --[^\n]+ allows? multiple values[\s\S]*$/, '')
      .replace(/^\s*Missing required flag (\S+)$/gm, '--$1 is missing')
      .trim()
  )
}

function usageHint(message: string, command: string): string {
  if (message === '--from is missing') return 'Name the repository: --from URL, or set BKP_REPOSITORY'
  if (message === 'There is no flag --to' || message === 'There is no flag --from')
    return `Here a place is named by ${message.endsWith('to') ? '--from' : '--to'}; see: ${help(command)}`
  const topic = /^There is no command "(config|destinations|plugins) /.exec(message)?.[1]
  return `See: ${help(topic ?? command)}`
}

function help(command: string): string {
  return command === '' ? 'bkp --help' : `bkp ${command.replaceAll(':', ' ')} --help`
}

// By brand, not by class: core is not loaded for errors of the command line, and may be loaded twice.
function isKnown(error: unknown): boolean {
  return typeof error === 'object' && error !== null && knownErrors.some((brand) => brand in error)
}

function isOfParser(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'oclif' in error
}

function hintOf(hint: unknown): { readonly hint?: string } {
  return typeof hint === 'string' ? { hint } : {}
}
