import type { Storage } from '@bkp/plugin-api'
import { describe, expect, it } from 'vitest'
import { tellReport, wantsReport } from '../report/report.js'
import { describeClock } from './clock.js'
import { describeClosing } from './closing.js'
import { describeConditionalCreate } from './conditional-create.js'
import { describeInterruptions } from './interruptions.js'
import { describeKeys } from './keys.js'
import { describeKilledWriters } from './killed-writers.js'
import { describeListing } from './listing.js'
import { describeMissing } from './missing.js'
import { describeParallelCalls } from './parallel-calls.js'
import { describeRanges } from './ranges.js'
import { describeReplacing } from './replacing.js'
import { describeSizes } from './sizes.js'
import { storageThroughput } from './throughput.js'

/** An empty place, opened; made anew for every test. */
export interface StorageFixture {
  readonly storage: Storage
  /** Another storage over the same place, as a second machine or a later run has it. The suite closes it. */
  reopen(): Promise<Storage>
  /** Removes the place. The suite has closed `storage` before. */
  dispose(): Promise<void>
}

/** How a process of its own opens the place of a fixture, to be killed while it writes. */
export interface StorageProcess {
  /** URL of the built entry of the plugin, e.g. `new URL('../dist/index.js', import.meta.url)`. */
  readonly entry: URL
  /** The storage's id in the manifest. */
  readonly id: string
  readonly url: string
  /** As `openStorageOf` takes it: secrets as `new Secret(…)`. */
  readonly configuration: Readonly<Record<string, unknown>>
}

/** How a storage is tested. */
export interface StorageSuiteOptions<F extends StorageFixture = StorageFixture> {
  open(): Promise<F>
  /** Left out only where nothing outlives the process. */
  readonly process?: (fixture: F) => StorageProcess
  /** How many objects are stored for the long list, where one takes long to store. At least 10; default 2,500. */
  readonly listedObjects?: number
}

/** What the parts of the suite are given. */
export interface StorageUnderTest {
  /** Opens a new place for the time of `action`. */
  withStorage(action: (storage: Storage, fixture: OpenedFixture) => Promise<void>): Promise<void>
  readonly listedObjects: number
}

/** A fixture within a test. */
export interface OpenedFixture {
  /** As {@link StorageFixture.reopen}. */
  reopen(): Promise<Storage>
  /** Only where the suite was told how. */
  readonly process: StorageProcess | undefined
}

/** The suite that every storage plugin runs. Call it at the top level of a test file. */
export function describeStorage<F extends StorageFixture>(name: string, options: StorageSuiteOptions<F>): void {
  const tested: StorageUnderTest = {
    listedObjects: options.listedObjects ?? 2500,
    async withStorage(action) {
      const fixture = await options.open()
      const opened = [fixture.storage]
      const reopen = async () => {
        const storage = await fixture.reopen()
        opened.push(storage)
        return storage
      }
      try {
        await action(fixture.storage, { reopen, process: options.process?.(fixture) })
      } finally {
        for (const storage of opened) await storage.close()
        await fixture.dispose()
      }
    },
  }

  describe(`storage ${name}`, () => {
    it('tells capabilities that core can plan with', () =>
      tested.withStorage(async ({ capabilities }) => {
        expect(capabilities.concurrency).toBeGreaterThanOrEqual(1)
        // The largest pack of the format.
        expect(capabilities.maxObjectBytes).toBeGreaterThanOrEqual(64 * 1024 * 1024)
        expect(['strong', 'eventual']).toContain(capabilities.listing)
      }))

    describeMissing(tested)
    describeSizes(tested)
    describeRanges(tested)
    describeReplacing(tested)
    describeConditionalCreate(tested)
    describeKeys(tested)
    describeListing(tested)
    describeParallelCalls(tested)
    describeInterruptions(tested)
    if (options.process !== undefined) describeKilledWriters(tested)
    describeClock(tested)
    describeClosing(tested)
    if (wantsReport())
      it('is measured', { timeout: 120_000 }, () =>
        tested.withStorage(async (storage) => tellReport(`storage ${name}`, await storageThroughput(storage))),
      )
  })
}
