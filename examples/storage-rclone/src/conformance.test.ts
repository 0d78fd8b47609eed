import { describeStorage } from '@bkp/testkit'
import { makePlace } from './testing/place.js'

describeStorage('rclone, a folder of this machine', {
  async open() {
    const place = await makePlace()
    const storage = await place.open('create')
    return { ...place, storage, reopen: () => place.open('open') }
  },
  process: ({ url, configuration }) => ({
    entry: new URL('../dist/index.js', import.meta.url),
    id: 'rclone',
    url,
    configuration,
  }),
})
