import type { SourceEntry, SourceErrorEntry } from '@bkp/plugin-api'
import { describe, expect, it } from 'vitest'
import { pathOf, type SourceUnderTest } from './describe-source.js'
import { expectSound, readToEnd } from './files.js'

const isListed = (entry: SourceEntry | SourceErrorEntry): entry is SourceEntry => entry.kind !== 'error'

export function describeDirectories({ options, withSource }: SourceUnderTest): void {
  it('has no directory where there is a file or nothing', () =>
    withSource(async (source, { files: [file], missing }) => {
      for (const path of [file?.path ?? missing, missing]) {
        await expect((async () => source.openDirectory(pathOf(path)))()).rejects.toMatchObject({ name: 'PortError' })
      }
    }))

  if (options.directories === 'none') return
  describe('directories', () => {
    it('list each of their names once, and nothing else', () =>
      withSource(async (source, { directories }) => {
        expect(directories.length).toBeGreaterThan(0)
        for (const { path, names } of directories) {
          const reader = await source.openDirectory(pathOf(path))
          const entries = await reader.list()
          expect(entries.map(({ name }) => Buffer.from(name).toString()).sort()).toEqual([...names].sort())
          for (const entry of entries.filter(isListed)) expectSound(entry)
          await reader.close()
        }
      }))

    it('tell of themselves without a name', () =>
      withSource(async (source, { directories }) => {
        for (const { path } of directories) {
          const reader = await source.openDirectory(pathOf(path))
          expect([reader.self.kind, reader.self.name.length]).toEqual(['directory', 0])
          expectSound(reader.self)
          expect((await source.inspect(pathOf(path))).kind).toBe('directory')
          await reader.close()
        }
      }))

    it('open the files that they list', () =>
      withSource(async (source, { directories, files }) => {
        for (const { path } of directories) {
          const reader = await source.openDirectory(pathOf(path))
          for (const entry of (await reader.list()).filter(isListed)) {
            const whole = `${path === '/' ? '' : path}/${Buffer.from(entry.name)}`
            const file = files.find((candidate) => candidate.path === whole)
            if (file === undefined) continue
            expect((await reader.describe(entry)).problems ?? []).toEqual([])
            const opened = await reader.openFile(entry)
            const content = await readToEnd(opened, 65_536)
            if (opened.extents === undefined) expect(Buffer.compare(content, file.content)).toBe(0)
            expect(await opened.close()).toBe('stable')
          }
          await reader.close()
        }
      }))
  })
}
