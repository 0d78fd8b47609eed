import { safe } from '../output/text.js'
import type { Terminal } from './terminal.js'

/** What is being closed needs moments: a connection that says goodbye, a file that is synced. */
const graceMs = 2_000

/**
 * Ends the process soon, though something that was left open (a timer, a connection) would keep it alive for ever. All results
 * are out by now. Does not keep the process alive itself.
 *
 * @param foreign plugins that did not come with bkp and have run here
 */
export function endThoughLeftOpen(terminal: Terminal, foreign: () => Promise<readonly string[]>): void {
  const end = async () => {
    const names = await foreign()
    const whose =
      names.length === 0 ? '' : `, which ${names.length === 1 ? 'is of' : 'is of one of'} ${names.map(safe).join(', ')}`
    const what = [...new Set(process.getActiveResourcesInfo())].filter((name) => !name.endsWith('Wrap')).join(', ')
    // Where nobody reads there is nobody to warn.
    await terminal.stderr
      .write(`Warning: bkp ended though something was left open (${what || 'a connection'})${whose}\n`)
      .catch(() => undefined)
    process.exit()
  }
  setTimeout(() => void end(), graceMs).unref()
}
