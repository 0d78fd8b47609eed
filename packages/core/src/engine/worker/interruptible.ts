import { setFlagsFromString } from 'node:v8'

// By test/e2e/plugins on each of them. 22 has no such fault; others may not know the flag, and would say so to the user.
const faultyVersions = [24, 25, 26]
let isDone = false

/**
 * Sees to it that loops of threads can be interrupted. In these versions of Node the loop unrolling of V8 leaves the check
 * out of some (`for (;;) new Array(1000).fill(1)`): such a thread cannot be ended, neither by `terminate` nor at the limit
 * of its memory, and keeps the process from ending. Changes the whole process: called only where code of strangers is to
 * run.
 */
export function keepInterruptible(nodeVersion: string = process.versions.node): void {
  const [major] = nodeVersion.split('.').map(Number)
  if (isDone || major === undefined || !faultyVersions.includes(major)) return
  setFlagsFromString('--no-turboshaft-loop-unrolling')
  isDone = true
}
