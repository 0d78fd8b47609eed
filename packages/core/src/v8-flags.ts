import { setFlagsFromString } from 'node:v8'

// Each changes the whole process, threads included, and only from then on. Flags that a version of V8 does not know would be
// told to the user, so each goes only to versions of Node on which tests have seen what it does.

/** Loop unrolling of V8: 22 has no such fault. */
const unrollsTooMuch = [24, 25, 26]
const compilesTooMuch = [20]
const given = new Set<string>()

/**
 * Sees to it that loops of threads can be interrupted. In some versions of Node the loop unrolling of V8 leaves the check out
 * of some (`for (;;) new Array(1000).fill(1)`): such a thread cannot be ended, neither by `terminate` nor at the limit of its
 * memory, and keeps the process from ending. Called only where code of strangers is to run.
 * @param nodeVersion e.g. `24.1.0`
 */
export function keepInterruptible(nodeVersion: string = process.versions.node): void {
  if (isOneOf(unrollsTooMuch, nodeVersion)) give('--no-turboshaft-loop-unrolling')
}

/**
 * Collects garbage in one go instead of by and by. Bytes of a network come and go in buffers of some kilobytes, and V8 marks
 * its heap after every 64 MiB of them: small as that is, two processors spend up to a quarter of a run on threads that mark
 * side by side with the work (backup and restore of 1.2 GiB by SFTP: 5.2 and 5.2 s of processor time so, 3.9 and 3.5 s in one
 * go). Where there are fewer buffers it gains nothing: a restore from a local disk took 3% longer.
 */
export function collectAtOnce(): void {
  give('--no-incremental-marking')
}

/**
 * Compiles what is run often later, and in smaller pieces. Node 20 spends a fifth of the processor time of a backup with few
 * changes on its optimising compiler, and little is run often enough to gain by it: 56,000 files of which 1% have changed took
 * 0.92 s, and 0.84 s so; a first backup as long as before. Newer versions have a quicker compiler beside it.
 */
export function compileLess(nodeVersion: string = process.versions.node): void {
  if (!isOneOf(compilesTooMuch, nodeVersion)) return
  give('--interrupt-budget=264000')
  give('--max-inlined-bytecode-size-cumulative=300')
}

function isOneOf(majors: readonly number[], nodeVersion: string): boolean {
  return majors.includes(Number(nodeVersion.split('.')[0]))
}

function give(flag: string): void {
  if (given.has(flag)) return
  setFlagsFromString(flag)
  given.add(flag)
}
