import { definePlugin } from '@bkp/plugin-api'
import { createNotifier } from './chat-notifier.js'

export default definePlugin({
  activate(context) {
    context.registerNotifier('{{id}}', createNotifier)
  },
})
