import type { Engine } from '@bkp/core'
import { safe } from '../output/text.js'
import type { Terminal } from './terminal.js'

/** What is being closed needs moments: a connection that says goodbye, a file that is synced. */
const graceMs = 2_000

/**
 * Ends the process soon, though something that was left open (a timer, a connection) would keep it alive for ever. All results
 * are out by now. Does not keep the process alive itself.
 *
 * @param engines those that ran here
 */
export function endThoughLeftOpen(terminal: Terminal, engines: readonly Promise<Engine>[]): void {
  const end = async () => {
    const settled = await Promise.allSettled(engines)
    const made = settled.flatMap((engine) => (engine.status === 'fulfilled' ? [engine.value] : []))
    const names = made.flatMap((engine) => engine.foreignPlugins())
    const whose =
      names.length === 0 ? '' : `, which ${names.length === 1 ? 'is of' : 'is of one of'} ${names.map(safe).join(', ')}`
    const what = [...new Set(process.getActiveResourcesInfo())].filter((name) => !name.endsWith('Wrap')).join(', ')
    // Where nobody reads there is nobody to warn.
    await terminal.stderr
      .write(`Warning: bkp ended though something was left open (${what || 'a connection'})${whose}\n`)
      .catch(() => undefined)
    if (made.some((engine) => engine.hasStuckThreads())) endWithoutWaiting(terminal.exitCode ?? 0)
    process.exit()
  }
  setTimeout(() => void end(), graceMs).unref()
}

/**
 * `process.exit` waits for threads, those that native code holds included, and for the debugger. The exit code is kept where
 * Node can (22.15); else the process ends by SIGKILL.
 */
export function endWithoutWaiting(exitCode: number): void {
  const { execve } = process as { execve?: (file: string, args: readonly string[], env: object) => void }
  execve?.('/bin/sh', ['sh', '-c', `exit ${exitCode}`], {})
  process.kill(process.pid, 'SIGKILL')
}
