import { type PluginGuard, pluginFailed, runningPlugin } from './plugin-guard.js'

const guards = new Set<PluginGuard>()

/** Plugins whose code runs in this thread and did not come with bkp: what is left open may be theirs. */
export function foreignPlugins(): readonly string[] {
  return [...guards].map(({ packageName }) => packageName)
}

/**
 * Watches what code of plugins does to the whole process. Nothing is changed in a process that runs none.
 *
 * - `process.exit`, `process.reallyExit` and `process.abort` throw, naming the plugin. What native code does cannot be caught.
 * - What is written to standard output goes to the log, since results stand there.
 * - An error that nobody catches ends the calls of the plugin that it came from.
 */
export function watchProcess(guard: PluginGuard): void {
  guards.add(guard)
  if (guards.size > 1) return
  for (const name of ['exit', 'reallyExit', 'abort'] as const) refuseToEnd(name)
  keepFromOutput()
  process.on('uncaughtException', onUncaught)
  process.on('unhandledRejection', onUncaught)
}

type Ending = 'exit' | 'reallyExit' | 'abort'

function refuseToEnd(name: Ending): void {
  const owner = process as unknown as Record<Ending, (code?: number) => never>
  const original = owner[name]
  owner[name] = (code) => {
    const guard = runningPlugin()
    // In the thread of a plugin Node itself ends what an error has broken, and must not be kept from it.
    const isOfNode = guard?.isAlone === true && !guard.isIn(new Error().stack ?? '')
    if (guard === undefined || isOfNode) return original.call(process, code)
    const error = pluginFailed(guard.packageName, `it tried to end bkp by process.${name}`)
    // Thrown inside of the plugin, which may catch it: then its calls end all the same.
    guard.fail(`it tried to end bkp by process.${name}`)
    throw error
  }
}

function keepFromOutput(): void {
  const { stdout } = process
  const original = stdout.write
  stdout.write = function write(this: typeof stdout, ...given: Parameters<typeof original>): boolean {
    const guard = runningPlugin()
    if (guard === undefined) return original.apply(this, given)
    const [chunk, encoding, callback] = given as unknown as [string | Uint8Array, unknown, unknown]
    guard.printed(typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString())
    const done = typeof encoding === 'function' ? encoding : callback
    if (typeof done === 'function') process.nextTick(done as () => void)
    return true
  } as typeof original
}

function onUncaught(error: unknown): void {
  const stack = error instanceof Error ? (error.stack ?? '') : ''
  const guard = [...guards].find((one) => one.isIn(stack)) ?? runningPlugin()
  if (guard !== undefined) {
    guard.fail(error instanceof Error ? error.message : String(error), error)
    return
  }
  // Not a plugin's: whoever else listens decides, and without anybody the process ends as if we had not listened.
  const others = process.listenerCount('uncaughtException') + process.listenerCount('unhandledRejection') - 2
  if (others > 0) return
  process.off('uncaughtException', onUncaught)
  process.off('unhandledRejection', onUncaught)
  process.nextTick(() => {
    throw error
  })
}
