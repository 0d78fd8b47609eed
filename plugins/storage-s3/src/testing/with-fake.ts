import type { Storage } from '@bkp/plugin-api'
import { FakeS3 } from './fake-s3.js'
import { openBucket } from './open-bucket.js'

export const fakeSecret = 'the-secret-access-key-of-the-test'

export interface FakeFixture {
  readonly server: FakeS3
  readonly storage: Storage
  readonly warnings: string[]
}

/** A storage over a fake server, for the time of `action`. */
export async function withFake(
  configuration: Readonly<Record<string, unknown>>,
  action: (fixture: FakeFixture) => Promise<void>,
): Promise<void> {
  const server = await new FakeS3().start()
  const warnings: string[] = []
  try {
    const storage = await openFake(server, configuration, (message) => warnings.push(message))
    try {
      await action({ server, storage, warnings })
    } finally {
      await storage.close()
    }
  } finally {
    await server.stop()
  }
}

export function openFake(
  { endpoint }: FakeS3,
  configuration: Readonly<Record<string, unknown>> = {},
  warn: (message: string) => void = () => {},
): Promise<Storage> {
  const keys = { endpoint, accessKeyId: 'the-access-key', region: 'us-east-1', pathStyle: true }
  return openBucket({
    url: 's3://bucket/place',
    secretAccessKey: fakeSecret,
    configuration: { ...keys, ...configuration },
    warn,
  })
}
