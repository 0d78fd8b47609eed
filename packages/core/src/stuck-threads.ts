import { setTimeout } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'

/** How long a thread may take to end. */
export const endsWithinMs = 5_000

let stuck = 0

/** Ends threads. Those that native code keeps, e.g. a read from a dead mount, are left behind, and counted. */
export async function endThreads(workers: readonly Worker[]): Promise<void> {
  const ended = Promise.all(workers.map((worker) => worker.terminate()))
  const isOver = ended.then(() => true)
  if (await Promise.race([isOver, setTimeout(endsWithinMs, false, { ref: false })])) return
  stuck++
  void ended.then(() => stuck--)
}

/**
 * Lets a thread end by itself: to stop one that is loading native code can bring the whole process down.
 * @param ask tells it to
 * @param withinMs then it is stopped
 */
export async function letEnd(worker: Worker, ask: () => void, withinMs: number = endsWithinMs): Promise<void> {
  worker.ref()
  const ended = new Promise((resolve) => worker.once('exit', resolve))
  ask()
  await Promise.race([ended, setTimeout(withinMs, undefined, { ref: false })])
  await endThreads([worker])
}

/** Whether there are threads that the end of the process would wait for in vain. */
export function hasStuckThreads(): boolean {
  return stuck > 0
}
