import type { Storage } from '@bkp/plugin-api'
import { cipherIdIn } from '../format/sealed-object.js'
import type { Codecs } from './codecs.js'
import type { RecordedPlugins } from './recorded-plugins.js'
import { withOtherCalls } from './with-other-calls.js'

/**
 * A storage that loads the cipher of what it reads, where that is of a plugin that did not come with bkp: nothing of such a
 * plugin runs for repositories that do not need it, and objects say themselves which they need.
 *
 * @param recorded asked who has a cipher that is missing
 */
export function loadingCiphers(storage: Storage, codecs: Codecs, recorded?: RecordedPlugins): Storage {
  return withOtherCalls(storage, {
    async get(key, options) {
      const bytes = await storage.get(key, options)
      const id = (options?.offset ?? 0) === 0 ? cipherIdIn(bytes) : undefined
      if (id === undefined || codecs.hasCipher(id)) return bytes
      if (!(await codecs.loadForeign(id)) && recorded !== undefined)
        codecs.noteMissing(id, await recorded.lookUp('encryption', id))
      return bytes
    },
  })
}
