import { definePlugin } from '@bkp/plugin-api'
import { openRcloneStorage } from './open-storage.js'

export default definePlugin({
  activate(context) {
    context.registerStorage('rclone', openRcloneStorage)
  },
})
