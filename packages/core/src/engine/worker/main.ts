import { once } from 'node:events'
import { parentPort, workerData } from 'node:worker_threads'
import type { Logger } from '@bkp/plugin-api'
import { startBackupWorker } from '../backup/backup-worker.js'
import type { BackupSetup } from '../backup/protocol.js'
import { startCheckWorker } from '../check/check-worker.js'
import type { CheckSetup } from '../check/protocol.js'
import type { RestoreSetup } from '../restore/protocol.js'
import { startRestoreWorker } from '../restore/restore-worker.js'
import { sendError } from './errors.js'
import type { WorkerStart } from './pool.js'
import type { ThreadStart } from './threads.js'

// What a worker thread begins with: the role in its first order decides what it becomes.
const port = parentPort
if (port === null) throw new Error('This module runs in worker threads only')

const log: Logger = {
  debug: (message) => port.postMessage({ kind: 'log', level: 'debug', message }),
  info: (message) => port.postMessage({ kind: 'log', level: 'info', message }),
  warn: (message) => port.postMessage({ kind: 'log', level: 'warn', message }),
}

const fail = (error: unknown) => port.postMessage({ kind: 'failed', error: sendError(error) })
process.on('uncaughtException', fail)
process.on('unhandledRejection', fail)

const { orders, preload } = workerData as ThreadStart
try {
  const ordered = once(orders, 'message') as Promise<[WorkerStart<unknown>]>
  // A plugin that cannot be loaded says so when it is really needed.
  await Promise.allSettled(preload.map((url) => import(url)))
  const [start] = await ordered
  orders.close()
  if (start.role === 'backup') await startBackupWorker(port, start as WorkerStart<BackupSetup>, log)
  else if (start.role === 'restore') await startRestoreWorker(port, start as WorkerStart<RestoreSetup>, log)
  else await startCheckWorker(port, start as WorkerStart<CheckSetup>)
  port.postMessage({ kind: 'ready' })
} catch (error) {
  fail(error)
}
