import { type PortErrorCode, Secret, type Storage } from '@bkp/plugin-api'
import { expect } from 'vitest'
import { openB2Storage } from '../../../plugins/storage-b2/src/open-b2-storage.js'
import { type ApplicationKey, type B2StandIn, type B2StandInOptions, startB2StandIn } from '../../b2-stand-in/index.js'

export const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined }

export interface OpenOptions {
  /** The master key unless told. */
  readonly key?: ApplicationKey
  readonly prefix?: string
  readonly intent?: 'create' | 'open'
  readonly bucket?: string
  readonly configuration?: Readonly<Record<string, unknown>>
}

export function openB2(standIn: B2StandIn, options: OpenOptions = {}): Promise<Storage> {
  const { key = standIn, prefix = 'backup', intent = 'open', bucket = standIn.bucket, configuration } = options
  return openB2Storage({
    url: `b2://${bucket}/${prefix}`,
    configuration: {
      realmUrl: standIn.realmUrl,
      applicationKeyId: key.applicationKeyId,
      applicationKey: new Secret(key.applicationKey),
      ...configuration,
    },
    intent,
    log: silent,
  })
}

/** A stand-in, and what opens its bucket, for the time of a test. */
export async function withB2(
  action: (standIn: B2StandIn, open: (options?: OpenOptions) => Promise<Storage>) => Promise<void>,
  options: B2StandInOptions = {},
): Promise<void> {
  const standIn = await startB2StandIn(options)
  const opened: Storage[] = []
  try {
    await action(standIn, async (how) => {
      const storage = await openB2(standIn, how)
      opened.push(storage)
      return storage
    })
  } finally {
    for (const storage of opened) await storage.close()
    await standIn.close()
  }
}

/** Expects a rejection with this code, whose message and hint match. Gives the error. */
export async function expectRefusal(
  code: PortErrorCode,
  text: RegExp,
  action: () => Promise<unknown>,
): Promise<{ readonly message: string; readonly hint?: string; readonly retryAfterMs?: number }> {
  const error = await action().then(
    () => new Error('nothing was thrown'),
    (thrown) => thrown,
  )
  expect(error).toMatchObject({ name: 'PortError', code })
  expect(`${error.message}. ${error.hint ?? ''}`).toMatch(text)
  return error
}

export async function keysOf(storage: Storage, prefix = ''): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of storage.list(prefix)) keys.push(key)
  return keys.sort()
}
