import { definePlugin } from '@bkp/plugin-api'
import { openWebdavStorage } from './open.js'

export default definePlugin({
  activate(context) {
    context.registerStorage('webdav', openWebdavStorage)
  },
})
