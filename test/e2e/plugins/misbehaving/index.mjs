import { definePlugin } from '@bkp/plugin-api'
import { memoryStorage } from './memory-storage.mjs'
import { misbehave } from './ways.mjs'

export default definePlugin({
  activate(context) {
    context.log.debug('activated', { api: context.apiVersion })
    // bad://WAY stores all but packs, and does it wrong with these; bad://list-WAY lists wrong, and bad://near-WAY is a local
    // one that gives packs back wrong.
    context.registerStorage('bad', async ({ url, configuration: { token } }) => {
      const way = url.slice('bad://'.length)
      if (way.startsWith('open-')) await misbehave(way.slice('open-'.length), token)
      if (way.startsWith('list-'))
        return memoryStorage(url, async (call) => {
          if (call === 'list') await misbehave(way.slice('list-'.length), token)
        })
      if (way.startsWith('near-'))
        return memoryStorage(
          url,
          async (call, key) => {
            if (call === 'get' && key.startsWith('packs/')) await misbehave(way.slice('near-'.length), token)
          },
          true,
        )
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
