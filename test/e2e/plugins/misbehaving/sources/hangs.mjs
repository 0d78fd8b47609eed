import { oneFile } from './one-file.mjs'

/** Does not come back from one of its calls: promises that nobody settles, or a loop without an end. */
export default {
  id: 'hangs',
  async openSource({ configuration: { at, loops } }) {
    const before = (call) => {
      if (call !== at) return undefined
      while (loops) Math.random()
      return new Promise(() => undefined)
    }
    await before('openSource')
    return oneFile(before)
  },
}
