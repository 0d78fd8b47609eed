import { describeStorage, type StorageFixture } from '@bkp/testkit'
import { type B2StandIn, startB2StandIn } from '../../b2-stand-in/index.js'
import { openB2 } from './open.js'

// Against a stand-in written from B2's documentation: there is no server of B2 to install.
const entry = new URL('../../../plugins/storage-b2/dist/bundle/index.js', import.meta.url)

interface Fixture extends StorageFixture {
  readonly standIn: B2StandIn
}

interface Suite {
  /** Only where killing makes a difference: these tests take long. */
  readonly withKilledWriters: boolean
}

function describeB2(
  name: string,
  configuration: Readonly<Record<string, unknown>>,
  { withKilledWriters }: Suite,
): void {
  const process = ({ standIn: { realmUrl, bucket, applicationKeyId, applicationKey } }: Fixture) => ({
    entry,
    id: 'b2',
    url: `b2://${bucket}/backup`,
    configuration: { ...configuration, realmUrl, applicationKeyId, applicationKey },
  })
  describeStorage<Fixture>(name, {
    async open() {
      const standIn = await startB2StandIn()
      const reopen = () => openB2(standIn, { configuration })
      return { standIn, storage: await reopen(), reopen, dispose: () => standIn.close() }
    },
    ...(withKilledWriters ? { process } : {}),
  })
}

const inParts = { largeFileThresholdMiB: 6, partSizeMiB: 5 }
const hiding = { removeBy: 'hide', oldVersions: 'keep' }
const expiring = { testMode: 'expire_some_account_authorization_tokens', listPageSize: 100 }
const failing = { testMode: 'fail_some_uploads' }

describeB2('b2', { listPageSize: 1000 }, { withKilledWriters: true })
describeB2('b2, large objects in parts', inParts, { withKilledWriters: true })
describeB2('b2, hiding instead of deleting', hiding, { withKilledWriters: false })
describeB2('b2, tokens expiring', expiring, { withKilledWriters: false })
describeB2('b2, uploads failing', failing, { withKilledWriters: false })
