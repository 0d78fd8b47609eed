import type { Source, SourceModule } from '@bkp/plugin-api'
import { describe, expect, it } from 'vitest'
import { silentLog } from '../host/plugin-context.js'
import { tellReport, wantsReport } from '../report/report.js'
import { expectPortRejection } from '../support/port-failures.js'
import { describeDirectories } from './directories.js'
import { describeFiles } from './files.js'
import { sourceThroughput } from './throughput.js'

/** A file that the source must have. */
export interface ExpectedFile {
  /** Whole path, e.g. `/home/ann/letter.txt`. */
  readonly path: string
  readonly content: Uint8Array
}

/** A directory that the source must have, with all names in it, in any order. */
export interface ExpectedDirectory {
  readonly path: string
  readonly names: readonly string[]
}

/** What the suite finds when it opens the source; made anew for every test, since some content can be read once only. */
export interface SourceFixture {
  readonly configuration: Readonly<Record<string, unknown>>
  /** At least one. */
  readonly files: readonly ExpectedFile[]
  readonly directories: readonly ExpectedDirectory[]
  /** A path at which there is nothing. */
  readonly missing: string
  dispose(): void | Promise<void>
}

/** How a source is tested. */
export interface SourceSuiteOptions {
  /** Shown beside the id. */
  readonly name?: string
  /** `known`: a file's entry and reader tell its size. `unknown`: they say 0, e.g. what a program prints. */
  readonly sizes: 'known' | 'unknown'
  /** `anywhere`: a range of a file can be read by itself. */
  readonly ranges: 'anywhere' | 'none'
  /** `listed`: fixtures name at least one directory. `none`: the source is files alone. */
  readonly directories: 'listed' | 'none'
  prepare(): SourceFixture | Promise<SourceFixture>
}

/** What the parts of the suite are given. */
export interface SourceUnderTest {
  readonly options: SourceSuiteOptions
  /** Opens the source of a new fixture for the time of `action`. */
  withSource(action: (source: Source, fixture: SourceFixture) => Promise<void>): Promise<void>
}

/** The suite that every source plugin runs. Call it at the top level of a test file. */
export function describeSource(module: SourceModule, options: SourceSuiteOptions): void {
  const title = options.name === undefined ? module.id : `${module.id}, ${options.name}`
  const tested: SourceUnderTest = {
    options,
    async withSource(action) {
      const fixture = await options.prepare()
      try {
        const source = await module.openSource({ configuration: fixture.configuration, log: silentLog })
        try {
          await action(source, fixture)
        } finally {
          await source.close()
        }
      } finally {
        await fixture.dispose()
      }
    },
  }

  describe(`source ${title}`, () => {
    it('has an id, and says what it cannot do in words', () => {
      expect(module.id).toMatch(/^[a-z0-9.-]{1,32}$/)
      for (const limitation of module.limitations?.() ?? []) expect(limitation).not.toBe('')
    })

    it('says not-found where there is nothing', () =>
      tested.withSource(async (source, { missing }) => {
        await expectPortRejection('not-found', () => source.inspect(pathOf(missing)))
      }))

    describeFiles(tested)
    describeDirectories(tested)
    if (wantsReport())
      it('is measured', () =>
        tested.withSource(async (source, { files }) => {
          tellReport(`source ${title}`, await sourceThroughput(source, files.slice(0, 100)))
        }))
  })
}

/** Paths are bytes. */
export function pathOf(text: string): Uint8Array {
  return Buffer.from(text)
}
