import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { bkp, bkpJson } from '../support/run-bkp.js'

const work = mkdtempSync(join(tmpdir(), 'bkp-recall-'))
let round = 0
let source: string
let repository: string
let cache: string

interface Report {
  readonly snapshot: string
  readonly stats: Readonly<Record<string, number>>
}

afterAll(() => rmSync(work, { recursive: true, force: true }))

beforeEach(async () => {
  const folder = join(work, String(round++))
  source = join(folder, 'source')
  repository = join(folder, 'repository')
  cache = join(folder, 'cache')
  for (const name of ['a/deep/deeper', 'b', 'empty', 'c']) mkdirSync(join(source, name), { recursive: true })
  for (let n = 0; n < 30; n++) writeFileSync(join(source, n % 2 === 0 ? 'a/deep' : 'b', `file-${n}`), `content ${n}`)
  writeFileSync(join(source, 'a/deep/deeper/bottom'), 'at the bottom')
  linkSync(join(source, 'b/file-1'), join(source, 'c/other-name'))
  symlinkSync('nowhere', join(source, 'c/link'))
  writeFileSync(Buffer.concat([Buffer.from(`${source}/c/`), Buffer.from([0xff, 0x0a, 0x80])]), 'no text')
  await bkpJson(['init', '--to', repository])
  await settle()
})

/** A file that changed within a tick of the clock before a run is read again by the next, and not remembered. */
async function settle(): Promise<void> {
  const probe = join(work, 'probe')
  const changed = () => {
    writeFileSync(probe, String(process.hrtime.bigint()))
    return statSync(probe).ctimeMs
  }
  const from = changed()
  while (changed() < from + 100) await new Promise((resolve) => setImmediate(resolve))
}

async function backUp(...args: string[]): Promise<Report> {
  const env = { BKP_CACHE_DIR: cache }
  return (await bkpJson(['backup', source, '--to', repository, ...args], { env })) as unknown as Report
}

function cacheFile(): string {
  const [id] = readdirSync(cache).filter((name) => /^[0-9a-f]{32}$/.test(name))
  const folder = join(cache, String(id))
  return join(folder, String(readdirSync(folder)[0]))
}

/** Restores a snapshot and compares it with the source. */
async function expectRestored(snapshot: string): Promise<void> {
  const target = join(work, `restored-${round++}`)
  await bkpJson(['restore', `${snapshot}:${source}`, '--from', repository, '--target', target])
  const differences = execFileSync('diff', ['-r', '--no-dereference', source, target]).toString()
  expect(differences).toBe('')
}

/** What differs between two snapshots in the source; above it others are at work. */
async function differences(before: Report, after: Report): Promise<string[]> {
  const { code, stdout } = await bkp(['diff', before.snapshot, after.snapshot, '--from', repository])
  expect(code).toBe(0)
  return stdout.split('\n').filter((line) => line.includes(source))
}

const counted = ({ stats }: Report) => {
  const { files, directories, others, bytes, filesNew, filesChanged, filesUnchanged, errors } = stats
  return { files, directories, others, bytes, filesNew, filesChanged, filesUnchanged, errors }
}

describe('a run that remembers the last one', () => {
  it('counts as a run that does not, and makes the same snapshot', async () => {
    await backUp()
    const recalled = await backUp()
    const looked = await backUp('--no-cache')
    expect(recalled.stats).toMatchObject({ filesUnchanged: 33, filesNew: 0, filesChanged: 0 })
    expect(counted(looked)).toEqual(counted(recalled))
    expect(await differences(recalled, looked)).toEqual([])
    await expectRestored(recalled.snapshot)
  })

  it('does not need the trees of the parent', async () => {
    await backUp()
    const packs = execFileSync('find', [join(repository, 'packs'), '-type', 'f'])
      .toString()
      .trim()
      .split('\n')
    // The entry of the source itself changes, so that all trees above it are stored anew, in another pack.
    chmodSync(source, 0o750)
    await backUp()
    for (const pack of packs) {
      renameSync(pack, `${pack}.away`)
      // Something of that size, since what is lost is noticed.
      writeFileSync(pack, Buffer.alloc(statSync(`${pack}.away`).size))
    }
    const recalled = await backUp()
    expect(recalled.stats).toMatchObject({ filesUnchanged: 33, filesNew: 0 })
    for (const pack of packs) renameSync(`${pack}.away`, pack)
    await expectRestored(recalled.snapshot)
  })

  it.each<readonly [string, () => void]>([
    ['content with size and mtime kept', () => rewrite(join(source, 'a/deep/deeper/bottom'))],
    ['the size of a file', () => appendFileSync(join(source, 'b/file-3'), 'more')],
    ['a mode', () => chmodSync(join(source, 'a/deep/file-2'), 0o600)],
    ['a mode of a folder', () => chmodSync(join(source, 'a/deep'), 0o700)],
    ['a name', () => renameSync(join(source, 'b/file-5'), join(source, 'b/renamed'))],
    ['the place of a folder', () => renameSync(join(source, 'a/deep'), join(source, 'b/deep'))],
    ['a file that is new', () => writeFileSync(join(source, 'empty/new'), 'new')],
    ['a file that is gone', () => rmSync(join(source, 'a/deep/deeper/bottom'))],
    ['a folder that is gone', () => rmSync(join(source, 'a'), { recursive: true })],
    ['a link', () => linkSync(join(source, 'b/file-7'), join(source, 'empty/seven'))],
  ])('sees what changed: %s', async (_, change) => {
    await backUp()
    await backUp()
    change()
    const recalled = await backUp()
    const looked = await backUp('--no-cache', '--force')
    expect(await differences(recalled, looked)).toEqual([])
    await expectRestored(recalled.snapshot)
    expect((await backUp()).stats).toMatchObject({ filesNew: 0, filesChanged: 0 })
  })

  it.each<readonly [string, () => void]>([
    [
      'is damaged',
      () =>
        writeFileSync(
          cacheFile(),
          readFileSync(cacheFile()).map((byte, at) => (at === 300 ? byte ^ 1 : byte)),
        ),
    ],
    ['is cut short', () => truncateSync(cacheFile(), 200)],
    ['is empty', () => truncateSync(cacheFile(), 0)],
    ['is gone', () => rmSync(cache, { recursive: true })],
    ['cannot be made', () => replaceByFile(cache)],
  ])('goes on without the cache when it %s', async (_, spoil) => {
    await backUp()
    spoil()
    const next = await backUp()
    expect(next.stats).toMatchObject({ filesUnchanged: 33, filesNew: 0, filesChanged: 0, errors: 0 })
    await expectRestored(next.snapshot)
  })

  it('stores anew what an index segment named that is gone', async () => {
    await backUp()
    const [segment] = readdirSync(join(repository, 'index'))
    rmSync(join(repository, 'index', String(segment)))
    const next = await backUp()
    expect(next.stats.filesUnchanged).toBe(0)
    await expectRestored(next.snapshot)
  })

  it('leaves out what is newly excluded, and takes it in again', async () => {
    await backUp()
    const without = await backUp('--exclude', 'deeper/')
    expect(without.stats.files).toBe(32)
    expect((await backUp('--exclude', 'deeper/')).stats).toMatchObject({ files: 32, filesUnchanged: 32 })
    expect((await backUp()).stats.files).toBe(33)
  })

  it('reads all files when it is told to', async () => {
    await backUp()
    expect((await backUp('--force')).stats).toMatchObject({ filesUnchanged: 0, filesChanged: 33 })
  })

  it('knows nothing of another host', async () => {
    await backUp()
    expect((await backUp('--host', 'other')).stats).toMatchObject({ filesNew: 33 })
    expect((await backUp('--host', 'other')).stats).toMatchObject({ filesUnchanged: 33 })
    expect((await backUp()).stats).toMatchObject({ filesUnchanged: 33 })
  })

  it('holds for several runs at once', async () => {
    await backUp()
    const reports = await Promise.all([backUp(), backUp(), backUp()])
    for (const { stats } of reports) expect(stats).toMatchObject({ filesUnchanged: 33, errors: 0 })
    expect((await backUp()).stats).toMatchObject({ filesUnchanged: 33 })
  })

  it('remembers nothing of a dry run', async () => {
    await backUp()
    const before = readFileSync(cacheFile())
    writeFileSync(join(source, 'b/new'), 'new')
    await backUp('--dry-run')
    expect(readFileSync(cacheFile()).equals(before)).toBe(true)
    expect((await backUp()).stats).toMatchObject({ filesNew: 1 })
  })
})

function rewrite(path: string): void {
  const { atime, mtime, size } = statSync(path)
  writeFileSync(path, 'x'.repeat(size))
  utimesSync(path, atime, mtime)
}

function replaceByFile(path: string): void {
  rmSync(path, { recursive: true })
  writeFileSync(path, 'a file')
}
