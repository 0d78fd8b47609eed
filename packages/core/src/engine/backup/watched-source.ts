import type { DirectoryReader, FileReader, PackedListing, Source } from '@bkp/plugin-api'
import type { ForeignPlugin } from '../../repository/codecs.js'
import type { CallName, During } from '../../repository/plugin-calls.js'

type Watched = <T>(call: CallName, action: () => T) => T

/** A source of a plugin that did not come with bkp, each call of which is watched. */
export function watchedSource(source: Source, plugin: ForeignPlugin, during: During): Source {
  const watched: Watched = (call, action) => during(plugin, call, action)
  return {
    inspect: (path) => watched('inspect', () => source.inspect(path)),
    describe: (path, entry) => watched('describe', () => source.describe(path, entry)),
    openFile: (path, entry, range) =>
      mapped(
        watched('openFile', () => source.openFile(path, entry, range)),
        (reader) => watchedFile(reader, watched),
      ),
    openDirectory: (path) =>
      mapped(
        watched('openDirectory', () => source.openDirectory(path)),
        (directory) => watchedDirectory(directory, watched),
      ),
    close: () => watched('close', () => source.close()),
  }
}

function watchedDirectory(directory: DirectoryReader, watched: Watched): DirectoryReader {
  const { listPacked } = directory
  return {
    self: directory.self,
    list: () => watched('list', () => directory.list()),
    ...(listPacked === undefined
      ? {}
      : {
          listPacked: () =>
            watchedListing(
              watched('list', () => listPacked.call(directory)),
              watched,
            ),
        }),
    describe: (entry) => watched('describe', () => directory.describe(entry)),
    openFile: (entry, range) =>
      mapped(
        watched('openFile', () => directory.openFile(entry, range)),
        (reader) => watchedFile(reader, watched),
      ),
    close: () => watched('close', () => directory.close()),
  }
}

function watchedListing(listing: PackedListing | undefined, watched: Watched): PackedListing | undefined {
  if (listing === undefined) return undefined
  const { bytes, newestCtimeSeconds, directories } = listing
  return { bytes, newestCtimeSeconds, directories, entries: () => watched('list', () => listing.entries()) }
}

function watchedFile(reader: FileReader, watched: Watched): FileReader {
  return {
    extents: reader.extents,
    sizeBytes: reader.sizeBytes,
    read: (into) => watched('read', () => reader.read(into)),
    close: () => watched('close', () => reader.close()),
  }
}

function mapped<T, U>(value: T | Promise<T>, map: (value: T) => U): U | Promise<U> {
  return value instanceof Promise ? value.then(map) : map(value)
}
