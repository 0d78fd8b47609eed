import { definePlugin } from '@bkp/plugin-api'
import { memoryStorage } from './memory-storage.mjs'
import { misbehave } from './ways.mjs'

export default definePlugin({
  activate(context) {
    context.log.debug('activated', { api: context.apiVersion })
    // bad://WAY stores all but packs, and does it wrong with these.
    context.registerStorage('bad', async ({ url, configuration: { token } }) => {
      const way = url.slice('bad://'.length)
      if (way.startsWith('open-')) await misbehave(way.slice('open-'.length), token)
      return memoryStorage(url, async (call, key) => {
        if (call === 'put' && key.startsWith('packs/')) await misbehave(way, token)
      })
    })
    context.registerNotifier('bad', ({ configuration: { way, token } }) => ({
      async notify() {
        await misbehave(way, token, context.log)
      },
      async close() {},
    }))
  },
})
