import { Errors, run } from '@oclif/core'

/** Runs one command line. Commands print their own errors; what comes here is of oclif itself. */
export async function main(argv: string[], url: string): Promise<void> {
  process.stdout.on('error', endQuietly)
  try {
    await run(argv, url)
  } catch (error) {
    const { exit } = (error as { oclif?: { exit?: number } }).oclif ?? {}
    if (error instanceof Errors.ExitError) process.exitCode = exit ?? 0
    else {
      process.stderr.write(`Error: ${error instanceof Error ? error.message : String(error)}\n`)
      process.exitCode = exit ?? 2
    }
  }
}

// A reader that had enough (bkp ls | head) is no failure.
function endQuietly(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
}
