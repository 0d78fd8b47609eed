import { describeStorage } from '@bkp/testkit'
import { startB2StandIn } from '../../b2-stand-in/index.js'
import { openB2 } from './open.js'

// Against a stand-in written from B2's documentation: there is no server of B2 to install.
const entry = new URL('../../../plugins/storage-b2/dist/index.js', import.meta.url)

function describeB2(name: string, configuration: Readonly<Record<string, unknown>>): void {
  describeStorage(name, {
    async open() {
      const standIn = await startB2StandIn()
      const reopen = () => openB2(standIn, { configuration })
      return { standIn, storage: await reopen(), reopen, dispose: () => standIn.close() }
    },
    process: ({ standIn: { realmUrl, bucket, applicationKeyId, applicationKey } }) => ({
      entry,
      id: 'b2',
      url: `b2://${bucket}/backup`,
      configuration: { ...configuration, realmUrl, applicationKeyId, applicationKey },
    }),
  })
}

describeB2('b2', { listPageSize: 1000 })
describeB2('b2, large objects in parts', { largeFileThresholdMiB: 6, partSizeMiB: 5 })
describeB2('b2, hiding instead of deleting', { removeBy: 'hide', oldVersions: 'keep' })
describeB2('b2, tokens expiring', { testMode: 'expire_some_account_authorization_tokens', listPageSize: 100 })
describeB2('b2, uploads failing', { testMode: 'fail_some_uploads' })
