import { isMainThread } from 'node:worker_threads'
import plain from './plain-text.mjs'

/** Seals, and keeps the main thread soon after. */
export default {
  ...plain,
  id: 'loops-later-in-main',
  create() {
    setTimeout(() => {
      while (isMainThread) new Array(1000).fill(1)
    }, 1)
    return plain.create()
  },
}
