import { describeStorage } from '@bkp/testkit'
import { FakeWebdav } from './testing/fake-webdav.js'

describePublication('auto')
describePublication('put')

function describePublication(publication: string): void {
  describeStorage(`webdav, publication ${publication}, in memory`, {
    async open() {
      const fake = await FakeWebdav.start()
      const reopen = () => fake.open({ publication })
      return { storage: await reopen(), reopen, dispose: () => fake.stop() }
    },
  })
}
