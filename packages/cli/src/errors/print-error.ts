import { writeSync } from 'node:fs'
import pc from 'picocolors'
import { type Output, OutputClosed, type Terminal } from '../composition/terminal.js'
import { wantsDebug } from '../output/debug-log.js'
import { safeLines } from '../output/text.js'
import type { DescribedError } from './describe-error.js'

/** Whether JSON is asked for, also where the rest of the command line makes no sense. */
export function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--')
  return (end < 0 ? argv : argv.slice(0, end)).includes('--json')
}

/** An error as it stands in JSON. */
export function errorDocument({ code, message, hint, exitCode }: DescribedError): Readonly<Record<string, unknown>> {
  return { version: 1, error: { code, message, ...(hint === undefined ? {} : { hint }), exitCode } }
}

/** Prints an error for people on standard error, or as a JSON document on `json`. @param trace shown where `DEBUG` asks for it */
export async function printError(
  terminal: Terminal,
  described: DescribedError,
  trace: string,
  json?: Output,
): Promise<void> {
  if (json !== undefined) await unlessClosed(json.write(jsonLine(described)))
  else await unlessClosed(terminal.stderr.write(peopleLines(described, terminal.stderr.hasColours)))
  if (wantsDebug(terminal.env)) await unlessClosed(terminal.stderr.write(`${trace}\n`))
}

/** The same before it returns, for a process that is about to be ended. @param json file descriptor for JSON */
export function printErrorAtOnce(described: DescribedError, json?: number): void {
  try {
    writeSync(json ?? process.stderr.fd, json === undefined ? peopleLines(described, false) : jsonLine(described))
  } catch {
    // Nobody reads, or not now: the exit code tells.
  }
}

function jsonLine(described: DescribedError): string {
  return `${JSON.stringify(errorDocument(described))}\n`
}

function peopleLines({ message, hint }: DescribedError, hasColours: boolean): string {
  const { red } = pc.createColors(hasColours)
  return [`${red('Error:')} ${safeLines(message)}`, ...(hint === undefined ? [] : [safeLines(hint)]), ''].join('\n')
}

// The exit code tells even where nobody reads.
async function unlessClosed(write: Promise<void>): Promise<void> {
  await write.catch((error: unknown) => {
    if (!(error instanceof OutputClosed)) throw error
  })
}

/** Where an error came from, with its causes. */
export function traceOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause === undefined ? '' : `\ncaused by ${traceOf(error.cause)}`
  return `${error.stack ?? error.message}${cause}`
}
