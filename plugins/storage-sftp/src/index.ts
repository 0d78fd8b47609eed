import { definePlugin } from '@bkp/plugin-api'
import { openSftpStorage } from './open-storage.js'

export default definePlugin({
  activate(context) {
    context.registerStorage('sftp', openSftpStorage)
  },
})
