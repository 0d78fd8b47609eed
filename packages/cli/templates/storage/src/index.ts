import { definePlugin } from '@bkp/plugin-api'
import { openFolder } from './open-folder.js'

export default definePlugin({
  activate(context) {
    context.registerStorage('{{id}}', openFolder)
  },
})
