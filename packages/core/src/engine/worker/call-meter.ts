import type { ForeignPlugin } from '../../repository/codecs.js'
import { type CallName, callNames, type During, unwatched } from '../../repository/plugin-calls.js'

/** How a thread says what plugins do in it. */
export interface Meter {
  readonly during: During
  /** While the thread waits for the main thread, nothing that goes on in it is a plugin's fault. */
  waiting(action: () => void): void
}

/** Where all plugins came with bkp. */
export const unmetered: Meter = { during: unwatched, waiting: (action) => action() }

/** A call that goes on. */
export interface RunningCall {
  /** Of its thread: no other has it for two thousand million calls. */
  readonly number: number
  readonly packageName: string
  readonly name: CallName
}

// More calls at once are possible only where promises of a source are, and those beyond are not watched.
const slots = 32
const slotWords = 3
const headWords = 1
const threadWords = headWords + slots * slotWords

/**
 * Says in shared memory which calls of plugins that did not come with bkp go on in a thread, so that the main thread sees
 * one that never ends. It costs a call some stores, and others nothing.
 */
export class CallMeter implements Meter {
  readonly memory: SharedArrayBuffer
  readonly #words: Int32Array
  readonly #plugins: readonly string[]
  readonly #free: number[] = Array.from({ length: slots }, (_, slot) => slot)
  #last = 0

  /** @param plugins that did not come with bkp: the same in the same order on both sides */
  constructor(memory: SharedArrayBuffer, thread: number, plugins: readonly ForeignPlugin[]) {
    this.memory = memory
    this.#words = new Int32Array(memory, thread * threadWords * 4, threadWords)
    this.#plugins = plugins.map(({ packageName }) => packageName)
  }

  static memoryFor(threads: number): SharedArrayBuffer {
    return new SharedArrayBuffer(threads * threadWords * 4)
  }

  readonly during: During = (plugin, call, action) => {
    const slot = this.#free.pop()
    if (slot === undefined) return action()
    const at = headWords + slot * slotWords
    this.#last = (this.#last % 0x7fff_ffff) + 1
    this.#words[at + 1] = this.#plugins.indexOf(plugin.packageName)
    this.#words[at + 2] = callNames.indexOf(call)
    Atomics.store(this.#words, at, this.#last)
    const end = () => {
      Atomics.store(this.#words, at, 0)
      this.#free.push(slot)
    }
    let result: ReturnType<typeof action>
    try {
      result = action()
    } catch (error) {
      end()
      throw error
    }
    if (result instanceof Promise) void result.then(end, end)
    else end()
    return result
  }

  waiting(action: () => void): void {
    Atomics.store(this.#words, 0, 1)
    try {
      action()
    } finally {
      Atomics.store(this.#words, 0, 0)
    }
  }

  /** What goes on now, the newest last; none while the thread waits. */
  running(): readonly RunningCall[] {
    if (Atomics.load(this.#words, 0) !== 0) return []
    const calls: RunningCall[] = []
    for (let at = headWords; at < threadWords; at += slotWords) {
      const number = Atomics.load(this.#words, at)
      const packageName = this.#plugins[this.#words[at + 1] as number]
      const name = callNames[this.#words[at + 2] as number]
      if (number !== 0 && packageName !== undefined && name !== undefined) calls.push({ number, packageName, name })
    }
    return calls.sort((a, b) => a.number - b.number)
  }
}
