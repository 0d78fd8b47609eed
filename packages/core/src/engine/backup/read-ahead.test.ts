import type { Source, SourceEntry } from '@bkp/plugin-api'
import { PortError } from '@bkp/plugin-api'
import { beforeEach, describe, expect, it } from 'vitest'
import { ReadAhead, type ReadAheadOrder, withListings } from './read-ahead.js'

/** Folders by path: names of files, names of folders with a final `/`. */
let tree: Record<string, readonly string[]>
let opened: string[]
let devices: Record<string, bigint>

const bytes = (text: string) => new Uint8Array(Buffer.from(text))
const namesOf = (listing: ReturnType<ReadAhead['take']>) => {
  const entries = listing !== undefined && 'bytes' in listing ? listing.entries() : listing
  return entries?.map(({ name }) => Buffer.from(name).toString())
}

function openSource(): Source {
  return {
    openDirectory: (path: Uint8Array) => {
      const text = Buffer.from(path).toString()
      opened.push(text)
      const names = tree[text]
      if (names === undefined) throw new PortError('forbidden', `${text}: EACCES`)
      const list = () =>
        names.map((name) => ({
          kind: name.endsWith('/') ? 'directory' : 'file',
          name: bytes(name.replace('/', '')),
          device: devices[name] ?? 1n,
        })) as SourceEntry[]
      return {
        list,
        openFile: () => `file of ${text}`,
        describe: () => ({}),
        close: () => opened.push(`closed ${text}`),
      }
    },
    close: () => undefined,
  } as unknown as Source
}

const order: ReadAheadOrder = {
  // Loaded as a plugin is: by its URL.
  url: 'data:text/javascript,export default { id: "fake", canReadAhead: true, openSource: () => globalThis.openFake() }',
  configuration: {},
  paths: [bytes('/home')],
  excludes: [],
  excludeCaches: false,
  oneFileSystem: false,
}

beforeEach(() => {
  opened = []
  devices = {}
  tree = {
    '/home': ['z', 'b/', 'a/'],
    '/home/a': ['deep/', '1'],
    '/home/a/deep': ['2'],
    '/home/b': [],
  }
  ;(globalThis as unknown as { openFake: () => Source }).openFake = openSource
})

const opens = () => opened.filter((line) => !line.startsWith('closed'))

describe('ReadAhead', () => {
  it('lists in the order of the scan, and closes what it opened', async () => {
    const ahead = new ReadAhead()
    await ahead.run(order, () => false)
    expect(opens()).toEqual(['/home', '/home/a', '/home/a/deep', '/home/b'])
    expect(opened.length).toBe(2 * opens().length)
    expect(namesOf(ahead.take(bytes('/home')))).toEqual(['a', 'b', 'z'])
    expect(namesOf(ahead.take(bytes('/home/b')))).toEqual([])
  })

  it('tells what it knows once', async () => {
    const ahead = new ReadAhead()
    await ahead.run(order, () => false)
    expect(ahead.take(bytes('/home/a'))).toBeDefined()
    expect(ahead.take(bytes('/home/a'))).toBeUndefined()
    expect(ahead.take(bytes('/elsewhere'))).toBeUndefined()
  })

  it('ends as soon as the scan can begin', async () => {
    let asked = 0
    await new ReadAhead().run(order, () => ++asked > 2)
    expect(opens()).toEqual(['/home', '/home/a'])
  })

  it('does not look into what is excluded, lies on another disk, or is a cache', async () => {
    await new ReadAhead().run({ ...order, excludes: ['deep/'] }, () => false)
    expect(opens()).toEqual(['/home', '/home/a', '/home/b'])
    opened = []
    devices = { 'a/': 2n }
    await new ReadAhead().run({ ...order, oneFileSystem: true }, () => false)
    expect(opens()).toEqual(['/home', '/home/b'])
    opened = []
    devices = {}
    tree['/home/a'] = ['CACHEDIR.TAG', 'deep/']
    await new ReadAhead().run({ ...order, excludeCaches: true }, () => false)
    expect(opens()).toEqual(['/home', '/home/a', '/home/b'])
  })

  it('leaves to the scan what cannot be listed', async () => {
    delete tree['/home/a']
    const ahead = new ReadAhead()
    await ahead.run(order, () => false)
    expect(ahead.take(bytes('/home/a'))).toBeUndefined()
    expect(ahead.take(bytes('/home/b'))).toBeDefined()
  })

  it('does nothing for a source that does not allow it', async () => {
    const url = order.url.replace('canReadAhead: true', 'canReadAhead: false')
    await new ReadAhead().run({ ...order, url }, () => false)
    expect(opened).toEqual([])
  })
})

describe('withListings', () => {
  it('opens a directory listed before only when one of its files is wanted', async () => {
    const ahead = new ReadAhead()
    await ahead.run(order, () => false)
    opened = []
    const source = withListings(openSource(), ahead)
    const directory = await source.openDirectory(bytes('/home/a'))
    const [, file] = await directory.list()
    expect(opened).toEqual([])
    expect(await directory.openFile(file as SourceEntry)).toBe('file of /home/a')
    await directory.openFile(file as SourceEntry)
    await directory.close()
    expect(opened).toEqual(['/home/a', 'closed /home/a'])
    const untouched = await source.openDirectory(bytes('/home/b'))
    await untouched.close()
    expect(opened.length).toBe(2)
    await source.openDirectory(bytes('/home/a'))
    expect(opened.length).toBe(3)
  })
})
