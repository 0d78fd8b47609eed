import type { Engine } from '@bkp/core'
import type { IdleThread } from '@bkp/core/threads'
import { Errors, run } from '@oclif/core'
import { endThoughLeftOpen } from './composition/left-open.js'
import { nodeProcessParts } from './composition/node-process.js'
import { provideProcessParts } from './composition/process-parts.js'
import { describeError } from './errors/describe-error.js'
import { printError, traceOf, wantsJson } from './errors/print-error.js'

/**
 * Runs one command line. Commands tell their own errors; what comes here is oclif's: no such command, help, version.
 *
 * @param url of the program, from which oclif finds package.json
 * @param thread started for the command; ended when the command does not use it
 */
export async function main(argv: readonly string[], url: string, thread?: IdleThread): Promise<void> {
  const threads = thread === undefined ? [] : [thread]
  const engines: Promise<Engine>[] = []
  const parts = nodeProcessParts(
    () => threads.splice(0),
    (engine) => engines.push(engine),
  )
  provideProcessParts(parts)
  try {
    await run(normalised(argv), url)
  } catch (error) {
    if (error instanceof Errors.ExitError && error.oclif.exit === 0) return
    const described = describeError(error, '')
    parts.terminal.exitCode = described.exitCode
    await printError(parts.terminal, described, traceOf(error), wantsJson(argv) ? parts.terminal.stdout : undefined)
  } finally {
    await Promise.all(threads.map((unused) => unused.end()))
    endThoughLeftOpen(parts.terminal, engines)
  }
}

/** `bkp help backup` and `bkp backup --help` are one. */
function normalised(argv: readonly string[]): string[] {
  const [first, ...rest] = argv
  return first === 'help' ? [...rest.filter((arg) => !arg.startsWith('-')), '--help'] : [...argv]
}
