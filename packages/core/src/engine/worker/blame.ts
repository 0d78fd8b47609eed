import { BkpError, isBkpError } from '../../errors/index.js'
import type { ForeignPlugin } from '../../repository/codecs.js'

/**
 * Names the plugin that is behind a failure of a thread. An error tells by its stack whose it is; of a thread that ran out of
 * memory or ended by itself it is only known who was in it.
 *
 * @param plugins that did not come with bkp and run in the thread
 */
export function withBlame(error: Error, plugins: readonly ForeignPlugin[]): Error {
  if (plugins.length === 0 || (isBkpError(error) && error.code !== 'internal')) return error
  const stack = error.stack ?? ''
  const guilty = plugins.find(({ folderUrl }) => stack.includes(folderUrl))
  if (guilty !== undefined) return failed(`The plugin ${guilty.packageName} failed`, guilty.packageName, error)
  if (!isOfThread(error)) return error
  const names = plugins.map(({ packageName }) => packageName).join(' or ')
  return failed(
    plugins.length === 1 ? `The plugin ${names} failed` : `One of the plugins that ran there failed (${names})`,
    names,
    error,
  )
}

function failed(what: string, names: string, cause: Error): BkpError {
  return new BkpError('plugin-failed', `${what}: ${cause.message}`, {
    hint: `Run it without ${names}, and report this to the author`,
    cause,
  })
}

/** Whether it is the end of a thread, which has no stack of whoever caused it. */
function isOfThread(error: Error): boolean {
  return (
    (error as NodeJS.ErrnoException).code === 'ERR_WORKER_OUT_OF_MEMORY' || error.message.startsWith('Worker thread ')
  )
}
