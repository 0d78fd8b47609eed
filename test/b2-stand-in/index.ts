import type { AddressInfo } from 'node:net'
import type { ApiContext } from './api-calls.js'
import { type ApplicationKey, ApplicationKeys, type KeyRestrictions } from './application-keys.js'
import { type Bucket, Buckets, type FileVersion } from './buckets.js'
import { type Caps, type Fault, Faults } from './faults.js'
import { createB2Server } from './server.js'
import { UploadTokens } from './upload-tokens.js'

export type { ApplicationKey, Capability, KeyRestrictions } from './application-keys.js'
export { allCapabilities } from './application-keys.js'
export type { FileVersion } from './buckets.js'
export type { Caps, Failure, Fault } from './faults.js'

export interface B2StandInOptions {
  /** Name of the bucket that is there from the start, default `bkp-test`. */
  readonly bucket?: string
  /** Whether that bucket has Object Lock. */
  readonly fileLock?: boolean
  /** 0, the default, for any that is free. Only on loopback. */
  readonly port?: number
}

/** A running stand-in of B2's native API; everything lies in memory. */
export interface B2StandIn extends ApplicationKey {
  /** For the option `realmUrl` of the plugin. */
  readonly realmUrl: string
  readonly bucket: string
  createBucket(name: string, options?: { readonly fileLock?: boolean }): void
  createKey(restrictions?: KeyRestrictions): ApplicationKey
  deleteKey(applicationKeyId: string): void
  /** The next calls of this name (e.g. `b2_upload_file`) meet a fault. */
  failNext(call: string, fault: Fault, times?: number): void
  /** Account tokens that were given so far are refused as expired. */
  expireTokens(): void
  /** So are those of upload URLs. */
  expireUploadUrls(): void
  /** Moves the clock of the stand-in, for the life of tokens and of locks. */
  advance(milliseconds: number): void
  setCaps(caps: Caps): void
  callsOf(call: string): number
  /** Calls so far, by the class they are billed in. */
  readonly spent: { readonly A: number; readonly B: number; readonly C: number }
  /** How many connections were made so far. */
  readonly connections: number
  /** All versions of a name, the newest first, hide markers and unfinished large files too. */
  versionsOf(name: string, bucket?: string): readonly FileVersion[]
  /** Names of files that a download would find. */
  names(bucket?: string): readonly string[]
  /** Flips one bit of what is stored, as a disk that rots. @throws when there is no such file */
  flipBit(name: string, bucket?: string): void
  /** Makes a file vanish, with all its versions and without a trace. @throws when there is no such file */
  drop(name: string, bucket?: string): void
  /** Names of large files that are not finished. */
  unfinished(): readonly string[]
  /** Ends all connections, also those that wait for an answer. */
  close(): Promise<void>
}

/** Starts a stand-in in this process. The key that it gives is the master key. */
export async function startB2StandIn(options: B2StandInOptions = {}): Promise<B2StandIn> {
  const { bucket = 'bkp-test', fileLock = false, port = 0 } = options
  let ahead = 0
  const now = () => Date.now() + ahead
  const buckets = new Buckets()
  buckets.create(bucket, { fileLock })
  const keys = new ApplicationKeys(now)
  const uploadTokens = new UploadTokens(now)
  const faults = new Faults()
  const context = { buckets, uploadTokens, now, baseUrl: '' } satisfies ApiContext
  const server = createB2Server(context, keys, faults)
  let connections = 0
  server.on('connection', () => {
    connections++
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  context.baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const named = (name: string): Bucket => {
    const found = buckets.byName(name)
    if (found === undefined) throw new Error(`The stand-in has no bucket ${name}`)
    return found
  }
  return {
    ...keys.create(),
    realmUrl: context.baseUrl,
    bucket,
    createBucket: (name, bucketOptions) => void buckets.create(name, bucketOptions),
    createKey: (restrictions) => keys.create(restrictions),
    deleteKey: (id) => keys.delete(id),
    failNext: (call, fault, times = 1) => faults.plan(call, fault, times),
    expireTokens: () => keys.expire(),
    expireUploadUrls: () => uploadTokens.expire(),
    advance: (milliseconds) => {
      ahead += milliseconds
    },
    setCaps: (caps) => {
      faults.caps = caps
    },
    callsOf: (call) => faults.callsOf(call),
    get spent() {
      return faults.spent
    },
    get connections() {
      return connections
    },
    versionsOf: (name, from = bucket) => named(from).versionsOf(name),
    names: (from = bucket) =>
      named(from)
        .namesFrom('', '')
        .filter(
          (name) =>
            named(from)
              .versionsOf(name)
              .find(({ action }) => action !== 'start')?.action === 'upload',
        ),
    flipBit: (name, from = bucket) => {
      const version = named(from).visible(name)
      const data = Buffer.from(version.data)
      const middle = data.length >> 1
      data[middle] = (data[middle] ?? 0) ^ 1
      version.data = data
    },
    drop: (name, from = bucket) => {
      named(from).visible(name)
      for (const version of named(from).versionsOf(name)) named(from).remove(version)
    },
    unfinished: () => [...buckets.unfinished.values()].map(({ version }) => version.fileName),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
