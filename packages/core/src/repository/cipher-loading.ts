import type { Storage } from '@bkp/plugin-api'
import { cipherIdIn } from '../format/sealed-object.js'
import type { Codecs } from './codecs.js'
import { withOtherCalls } from './with-other-calls.js'

/**
 * A storage that loads the cipher of what it reads, where that is of a plugin that did not come with bkp: nothing of such a
 * plugin runs for repositories that do not need it, and objects say themselves which they need.
 */
export function loadingCiphers(storage: Storage, codecs: Codecs): Storage {
  if (!codecs.hasForeign) return storage
  return withOtherCalls(storage, {
    async get(key, options) {
      const bytes = await storage.get(key, options)
      const id = (options?.offset ?? 0) === 0 ? cipherIdIn(bytes) : undefined
      if (id !== undefined) await codecs.loadForeign(id)
      return bytes
    },
  })
}
