import { once } from 'node:events'
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { sendingLogger } from '../../log/plugin-logs.js'
import { sendError } from '../../sent-error.js'
import { startBackupWorker } from '../backup/backup-worker.js'
import type { BackupSetup } from '../backup/protocol.js'
import { ReadAhead } from '../backup/read-ahead.js'
import { startCheckWorker } from '../check/check-worker.js'
import type { CheckSetup } from '../check/protocol.js'
import { startCopyWorker } from '../copy/copy-worker.js'
import type { CopySetup } from '../copy/protocol.js'
import type { RestoreSetup } from '../restore/protocol.js'
import { startRestoreWorker } from '../restore/restore-worker.js'
import { CallMeter, unmetered } from './call-meter.js'
import type { WorkerStart } from './pool.js'
import { type EarlyOrder, endOrder, type ThreadStart } from './threads.js'

// What a worker thread begins with: the role in its first order decides what it becomes.
const port = parentPort
if (port === null) throw new Error('This module runs in worker threads only')

const log = sendingLogger((message) => port.postMessage(message))

const fail = (error: unknown) => port.postMessage({ kind: 'failed', error: sendError(error) })
process.on('uncaughtException', fail)
process.on('unhandledRejection', fail)

const { orders, preload } = workerData as ThreadStart
const ahead = new ReadAhead()
type Order = EarlyOrder | WorkerStart<unknown> | typeof endOrder

// Orders that the event loop delivered; what it has not yet is looked for where a thread is busy.
const delivered: Order[] = []
orders.on('message', (order: Order) => delivered.push(order))

function hasOrder(): boolean {
  if (delivered.length > 0) return true
  const received = receiveMessageOnPort(orders)
  if (received === undefined) return false
  delivered.push(received.message as Order)
  return true
}

async function nextOrder(): Promise<Order> {
  while (!hasOrder()) await once(orders, 'message')
  return delivered.shift() as Order
}

/** Waits for what this thread is to become; lists what will be asked for meanwhile. */
async function becoming(): Promise<Exclude<Order, EarlyOrder>> {
  for (;;) {
    const order = await nextOrder()
    if (order === endOrder || !('kind' in order)) return order
    await ahead.run(order.readAhead, hasOrder)
  }
}

try {
  // A plugin that cannot be loaded says so when it is really needed.
  await Promise.allSettled(preload.map((url) => import(url)))
  const start = await becoming()
  orders.close()
  if (start === endOrder) process.exit()
  // Ends only this thread, but without a word of who did it.
  process.exit = (code) => {
    throw new Error(`process.exit(${code ?? ''}) was called in a thread`)
  }
  const { foreign, index } = start
  const meter = foreign === undefined ? unmetered : new CallMeter(foreign.calls, index, foreign.plugins)
  if (start.role === 'backup') await startBackupWorker(port, start as WorkerStart<BackupSetup>, { log, ahead, meter })
  else if (start.role === 'restore') await startRestoreWorker(port, start as WorkerStart<RestoreSetup>, { log, meter })
  else if (start.role === 'copy') await startCopyWorker(port, start as WorkerStart<CopySetup>, { meter })
  else await startCheckWorker(port, start as WorkerStart<CheckSetup>, { meter })
  port.postMessage({ kind: 'ready' })
} catch (error) {
  fail(error)
}
