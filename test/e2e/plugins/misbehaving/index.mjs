import { definePlugin } from '@bkp/plugin-api'
import { memoryStorage } from './memory-storage.mjs'
import { misbehave } from './ways.mjs'

export default definePlugin({
  activate(context) {
    // bad://WAY stores all but packs, and does it wrong with these.
    context.registerStorage('bad', async ({ url }) => {
      const way = url.slice('bad://'.length)
      if (way.startsWith('open-')) await misbehave(way.slice('open-'.length))
      return memoryStorage(url, async (call, key) => {
        if (call === 'put' && key.startsWith('packs/')) await misbehave(way)
      })
    })
    context.registerNotifier('bad', ({ configuration: { way, token } }) => ({
      async notify() {
        await misbehave(way, token)
      },
      async close() {},
    }))
  },
})
