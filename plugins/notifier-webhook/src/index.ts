import { definePlugin } from '@bkp/plugin-api'
import { openWebhookNotifier } from './webhook-notifier.js'

export default definePlugin({
  activate(context) {
    context.registerNotifier('webhook', openWebhookNotifier)
  },
})
