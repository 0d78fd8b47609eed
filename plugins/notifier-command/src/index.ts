import { definePlugin } from '@bkp/plugin-api'
import { openCommandNotifier } from './command-notifier.js'

export default definePlugin({
  activate(context) {
    context.registerNotifier('command', openCommandNotifier)
  },
})
