import { fork } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Logger } from '@bkp/plugin-api'
import { compiledUrl } from '../../files/compiled-url.js'
import { pluginFailed } from '../containment/plugin-guard.js'
import type { InstalledPlugin } from '../manifest.js'
import type { TraceMessage, TraceOrder, TraceUnit } from './protocol.js'

const lastWordsMs = 500

export interface Tried {
  readonly ms: number
  /** Why it does not work. */
  readonly error?: string
}

/**
 * Tries something of a plugin in a process of its own, which is ended afterwards, whatever goes on in it.
 * @throws the reason of the signal
 */
export function tryInProcess(
  { directory, packageName, version, main, manifest }: InstalledPlugin,
  unit: TraceUnit,
  log: Logger,
  limitMs: number,
  signal: AbortSignal | undefined,
): Promise<Tried> {
  return new Promise((resolve, reject) => {
    const started = performance.now()
    // Its standard output is not ours: results stand there. Flags of our own process are none of its business.
    const child = fork(fileURLToPath(compiledUrl(import.meta.url, 'trace-process.js')), [], {
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
      execArgv: [],
    })
    const closed = new Promise((close) => child.on('close', close))
    const kill = () => child.kill('SIGKILL')
    let done: Tried | undefined
    let isLate = false
    const timer = setTimeout(() => {
      isLate = true
      kill()
    }, limitMs)
    signal?.addEventListener('abort', kill, { once: true })
    if (signal?.aborted) kill()
    const tried = (reason: string): Tried => ({
      ms: performance.now() - started,
      error: pluginFailed(packageName, reason).message,
    })
    child.stdout?.on('data', (text: Buffer) => log.warn(`${packageName} printed: ${text.toString().trim()}`))
    child.on('message', (message: TraceMessage) => {
      if (message.kind === 'log') log[message.level](message.message, message.details)
      else done = message.error === undefined ? { ms: message.ms } : { ms: message.ms, error: message.error }
    })
    child.on('error', reject)
    child.on('exit', async (code, killedBy) => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', kill)
      // What it printed last is still on its way; a program that it started may hold the pipe open for ever.
      await Promise.race([closed, sleep(lastWordsMs, undefined, { ref: false })])
      child.stdout?.destroy()
      const how = killedBy === null ? `exit code ${code}` : `signal ${killedBy}`
      if (signal?.aborted) reject(signal.reason)
      else if (done !== undefined) resolve(done)
      else if (isLate) resolve(tried(`it did not come back within ${limitMs / 1000} s`))
      else resolve(tried(`it ended its process with ${how}`))
    })
    const order: TraceOrder = { plugin: { directory, packageName, version, main, manifest }, unit }
    // One that has ended already is told of by its end.
    child.send(order, () => undefined)
  })
}
