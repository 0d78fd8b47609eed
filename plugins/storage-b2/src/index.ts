import { definePlugin } from '@bkp/plugin-api'
import { openB2Storage } from './open-b2-storage.js'

export default definePlugin({
  activate(context) {
    context.registerStorage('b2', openB2Storage)
  },
})
