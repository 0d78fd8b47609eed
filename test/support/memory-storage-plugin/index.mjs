import { definePlugin } from '@bkp/plugin-api'

// The same module is loaded by the engine and by the test, which enters its storages by their URL.
export const madeStorages = new Map()

export default definePlugin({
  activate(context) {
    context.registerStorage('made', async ({ url }) => madeStorages.get(url))
  },
})
