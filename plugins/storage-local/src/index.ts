import { definePlugin } from '@bkp/plugin-api'
import { openLocalStorage } from './local-storage.js'

export default definePlugin({
  activate(context) {
    context.registerStorage('local', openLocalStorage)
  },
})
