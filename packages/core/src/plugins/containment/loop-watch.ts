import { sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { compiledUrl } from '../../files/compiled-url.js'
import { lookingFor } from './looking.js'

/** A plugin by the scripts that are its own. */
export interface WatchedPlugin {
  readonly packageName: string
  /** What paths and URLs of its scripts begin with. */
  readonly beginnings: readonly string[]
}

export interface LoopWatchStart {
  /** Counts on while the main thread is not kept by anything. */
  readonly beats: SharedArrayBuffer
  readonly betweenMs: number
  /** After so many looks without a beat it is kept. */
  readonly looks: number
}

/** Key of the symbol under which the main thread has what is to be called in it. */
export const toldBy = 'bkp.loop-watch'

/**
 * Looks from a thread of its own whether code of plugins keeps the main thread to itself, in an endless loop or in work that
 * should be done elsewhere. If so, and only when the plugin's code is on the stack, that code is held where it is by the
 * debugger of Node, and the main thread is told in the middle of it. It cannot go on from there: to break off the code would
 * lose what waits for its turn, and Node does not survive it while it keeps asynchronous contexts.
 */
export class LoopWatch {
  readonly limitMs: number
  readonly #thread: Worker

  /**
   * @param limitMs how long the main thread may be kept; one minute at most
   * @param onHeld is told whose code it is, and has to end the process before it returns
   */
  constructor(limitMs: number, onHeld: (packageName: string) => void) {
    const { betweenMs, looks, ...looking } = lookingFor(limitMs)
    this.limitMs = looking.limitMs
    const beats = new SharedArrayBuffer(4)
    const counter = new Int32Array(beats)
    const start: LoopWatchStart = { beats, betweenMs, looks }
    setInterval(() => Atomics.add(counter, 0, 1), betweenMs / 2).unref()
    this.#thread = new Worker(compiledUrl(import.meta.url, 'loop-watch-thread.js'), {
      workerData: start,
      name: 'loop watch',
    })
    Reflect.set(globalThis, Symbol.for(toldBy), onHeld)
    this.#thread.unref()
  }

  add(packageName: string, directory: string): void {
    const plugin: WatchedPlugin = {
      packageName,
      beginnings: [`${directory}${sep}`, `${pathToFileURL(directory).href}/`],
    }
    this.#thread.postMessage(plugin)
  }
}
