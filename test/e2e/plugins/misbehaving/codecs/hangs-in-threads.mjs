import { isMainThread } from 'node:worker_threads'
import plain from './plain-text.mjs'

/** Seals small objects of the main thread, and never comes back in others. */
export default {
  ...plain,
  id: 'hangs-in-threads',
  create: () => ({
    ...plain.create(),
    seal(...given) {
      if (isMainThread) return plain.create().seal(...given)
      for (;;) Math.random()
    },
  }),
}
