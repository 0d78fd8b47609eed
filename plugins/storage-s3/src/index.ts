import { definePlugin } from '@bkp/plugin-api'

export default definePlugin({
  activate(context) {
    // The SDK takes a third of a second to load: only who opens a bucket pays for it.
    context.registerStorage('s3', async (request) => (await import('./open-s3-storage.js')).openS3Storage(request))
  },
})
