import { readFileSync } from 'node:fs'
import { oneFile } from './one-file.mjs'

/** Does not come back from one of its calls: promises that nobody settles, a loop without an end, or a FIFO without a writer. */
export default {
  id: 'hangs',
  async openSource({ configuration: { at, loops, fifo } }) {
    const before = (call) => {
      if (call !== at) return undefined
      if (fifo !== undefined) readFileSync(fifo)
      while (loops) Math.random()
      return new Promise(() => undefined)
    }
    await before('openSource')
    return oneFile(before)
  },
}
