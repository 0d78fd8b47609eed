import {
  type ByteRange,
  type DirectoryReader,
  type EntryDetails,
  type FileReader,
  PortError,
  type Source,
  type SourceEntry,
} from '@bkp/plugin-api'
import { entryOf } from './entries.js'
import { readTexts, type Texts } from './texts-file.js'

/** A directory `/` with one file for each text of a JSON file. */
export class TextsSource implements Source {
  readonly #file: string

  constructor(file: string) {
    this.#file = file
  }

  inspect(path: Uint8Array): SourceEntry {
    const { contents, changedMs } = readTexts(this.#file)
    const name = nameOf(path)
    if (name === '') return entryOf({ kind: 'directory', name: '', sizeBytes: 0, changedMs })
    return entryOf({ kind: 'file', name, sizeBytes: contentOf(contents, name).length, changedMs })
  }

  describe(): EntryDetails {
    return {}
  }

  openFile(path: Uint8Array, entry: SourceEntry, range?: ByteRange): FileReader {
    return new TextReader(this.#file, nameOf(path), entry, range)
  }

  openDirectory(path: Uint8Array): DirectoryReader {
    const texts = readTexts(this.#file)
    const name = nameOf(path)
    if (name !== '') throw new PortError('not-found', `${name} is no directory`)
    return new TextsDirectory(this.#file, texts)
  }

  close(): void {}
}

class TextsDirectory implements DirectoryReader {
  readonly self: SourceEntry
  readonly #file: string
  readonly #texts: Texts

  constructor(file: string, texts: Texts) {
    this.#file = file
    this.#texts = texts
    this.self = entryOf({ kind: 'directory', name: '', sizeBytes: 0, changedMs: texts.changedMs })
  }

  list(): readonly SourceEntry[] {
    const { contents, changedMs } = this.#texts
    return [...contents].map(([name, { length }]) => entryOf({ kind: 'file', name, sizeBytes: length, changedMs }))
  }

  describe(): EntryDetails {
    return {}
  }

  openFile(entry: SourceEntry, range?: ByteRange): FileReader {
    return new TextReader(this.#file, Buffer.from(entry.name).toString(), entry, range)
  }

  close(): void {}
}

class TextReader implements FileReader {
  readonly extents = undefined
  readonly sizeBytes: number
  readonly #hasChanged: boolean
  readonly #content: Uint8Array
  #position = 0

  constructor(file: string, name: string, entry: SourceEntry, range: ByteRange | undefined) {
    const { contents, changedMs } = readTexts(file)
    const content = contentOf(contents, name)
    const now = entryOf({ kind: 'file', name, sizeBytes: content.length, changedMs })
    this.#hasChanged =
      now.sizeBytes !== entry.sizeBytes ||
      now.mtimeSeconds !== entry.mtimeSeconds ||
      now.mtimeNanoseconds !== entry.mtimeNanoseconds
    this.sizeBytes = content.length
    this.#content = range === undefined ? content : content.subarray(range.offset, range.offset + range.length)
  }

  read(into: Uint8Array): number {
    const piece = this.#content.subarray(this.#position, this.#position + into.length)
    into.set(piece)
    this.#position += piece.length
    return piece.length
  }

  close(): 'stable' | 'changed' {
    return this.#hasChanged ? 'changed' : 'stable'
  }
}

/** `/name` as `name`, and `/` as nothing. */
function nameOf(path: Uint8Array): string {
  return Buffer.from(path).toString().replace(/^\/+/, '')
}

function contentOf(contents: ReadonlyMap<string, Uint8Array>, name: string): Uint8Array {
  const content = contents.get(name)
  if (content === undefined) throw new PortError('not-found', `There is no text "${name}"`)
  return content
}
