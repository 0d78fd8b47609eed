import { describe, expect, it } from 'vitest'
import { SharedState } from '../worker/shared-state.js'
import type { BackupTask, BackupTaskResult } from './protocol.js'
import { TaskQueue } from './task-queue.js'

const tree = (n: number): BackupTaskResult => ({ kind: 'tree', ids: Uint8Array.of(n) })
const work = (name: string): BackupTask => ({
  kind: 'directory',
  place: { path: Buffer.from(name), rootLength: 0, rootDevice: 0n },
  parentTree: new Uint8Array(0),
})

function harness(threads: number) {
  const shared = SharedState.create(threads)
  const assigned: { thread: number; task: number; name: string }[] = []
  const delivered: { thread: number; task: number; ids: number[] }[] = []
  const queue = new TaskQueue({
    threads,
    shared,
    assign: (thread, task, given) => {
      const name = given.kind === 'directory' ? Buffer.from(given.place.path).toString() : given.kind
      assigned.push({ thread, task, name })
    },
    deliver: (thread, task, result) =>
      delivered.push({ thread, task, ids: result.kind === 'tree' ? [...result.ids] : [] }),
  })
  return { queue, shared, assigned, delivered }
}

describe('TaskQueue', () => {
  it('spreads tasks over the threads and brings each result to the thread that gave the task away', async () => {
    const { queue, assigned, delivered } = harness(2)
    const finished = queue.run(work('/'))
    queue.add(0, 7, work('/a'))
    queue.add(0, 8, work('/b'))
    expect(assigned.map((a) => [a.thread, a.name])).toEqual([
      [0, '/'],
      [1, '/a'],
      [0, '/b'],
    ])
    queue.done(assigned[1]?.task ?? 0, tree(1))
    queue.done(assigned[2]?.task ?? 0, tree(2))
    expect(delivered).toEqual([
      { thread: 0, task: 7, ids: [1] },
      { thread: 0, task: 8, ids: [2] },
    ])
    queue.done(assigned[0]?.task ?? 0, tree(3))
    expect(await finished).toEqual(tree(3))
  })

  it('gives further work to a thread whose tasks all wait for others', () => {
    const { queue, assigned } = harness(1)
    void queue.run(work('/'))
    queue.suspend(assigned[0]?.task ?? 0)
    for (let depth = 1; depth < 10; depth++) {
      queue.add(0, depth, work(`/${depth}`))
      queue.suspend(assigned.at(-1)?.task ?? 0)
    }
    expect(assigned).toHaveLength(10)
  })

  it('asks the workers for tasks only as long as threads have room', () => {
    const { queue, shared } = harness(2)
    void queue.run(work('/'))
    expect([1, 2, 3, 4].map(() => shared.takeWanted())).toEqual([true, true, true, false])
  })

  it('asks a thread that is alone for none', () => {
    const { queue, shared } = harness(1)
    void queue.run(work('/'))
    expect(shared.takeWanted()).toBe(false)
  })
})
