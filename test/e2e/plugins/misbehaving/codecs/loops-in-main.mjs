import { isMainThread } from 'node:worker_threads'
import plain from './plain-text.mjs'

/** Does not come back where small objects are sealed. */
export default {
  ...plain,
  id: 'loops-in-main',
  create: () => ({
    ...plain.create(),
    seal(...given) {
      while (isMainThread);
      return plain.create().seal(...given)
    },
  }),
}
