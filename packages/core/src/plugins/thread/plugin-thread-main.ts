import { parentPort, workerData } from 'node:worker_threads'
import { sendingLogger } from '../../log/plugin-logs.js'
import { receiveError, sendError } from '../../sent-error.js'
import { isOfAbort, leaveThreadTo, PluginGuard } from '../containment/plugin-guard.js'
import { watchProcess } from '../containment/process-guards.js'
import { PluginServer } from './plugin-server.js'
import type { Message, Order, PluginThreadStart } from './protocol.js'

// What the thread of a plugin begins with: calls go in, what became of them goes out.
const port = parentPort
if (port === null) throw new Error('This module runs in worker threads only')

const say = (message: Message, transfer: readonly ArrayBuffer[] = []) => port.postMessage(message, transfer)
const { plugin } = workerData as PluginThreadStart
const log = sendingLogger(say)
const guard = new PluginGuard(plugin.packageName, plugin.directory, log)
const server = new PluginServer(plugin, guard, log)

const running = new Map<number, AbortController>()
const questions = new Map<number, (isYes: boolean) => void>()
let lastQuestion = 0

function ask(call: number, text: string): Promise<boolean> {
  const question = ++lastQuestion
  say({ kind: 'ask', call, question, text })
  return new Promise((resolve) => questions.set(question, resolve))
}

async function run({ call, name, given }: Extract<Order, { readonly kind: 'call' }>): Promise<void> {
  const controller = new AbortController()
  running.set(call, controller)
  const { signal } = controller
  try {
    const result = await server.run(name, given, { signal, ask: (text) => ask(call, text) })
    say({ kind: 'done', call, result }, memoryOf(result))
  } catch (error) {
    say({ kind: 'failed', call, error: sendError(error), wasAborted: isOfAbort(error, signal) })
  } finally {
    running.delete(call)
  }
}

/** What crosses without being copied. */
function memoryOf(result: unknown): readonly ArrayBuffer[] {
  const memory = result instanceof Uint8Array ? result.buffer : result
  return memory instanceof ArrayBuffer ? [memory] : []
}

leaveThreadTo(guard)
watchProcess(guard)
port.on('message', (order: Order) => {
  switch (order.kind) {
    case 'call':
      return void run(order)
    case 'abort':
      return running.get(order.call)?.abort(receiveError(order.reason))
    case 'answer': {
      questions.get(order.question)?.(order.isYes)
      return questions.delete(order.question)
    }
    case 'ping':
      return say({ kind: 'ping' })
    case 'end':
      leaveThreadTo(undefined)
      return process.exit()
  }
})
