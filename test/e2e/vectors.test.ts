import { createHash } from 'node:crypto'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import {
  expectedSnapshots,
  type ReadSnapshot,
  read,
  readJson,
  vector,
  vectorLine,
} from '../support/independent-reader.js'
import { ownsMachine } from '../support/machine.js'
import { makeRandomTree } from '../support/random-tree.js'
import { bkp, bkpJson, passphrase } from '../support/run-bkp.js'
import { type DescribedEntry, describeTree, type Portable } from '../vectors/describe-tree.mjs'

const work = mkdtempSync(join(tmpdir(), 'bkp-vectors-'))
const committed = vector('repository')
const secrets = { passphrase: vectorLine('passphrase.txt'), 'recovery code': vectorLine('recovery-code.txt') }
const [older, newer] = expectedSnapshots()
afterAll(() => rmSync(work, { recursive: true, force: true }))

const objects = objectsOf(committed)
const packs = objects.filter((key) => key.startsWith('packs/'))
/** One of every folder. */
const oneOfEach = [...new Map(objects.map((key) => [key.split('/')[0], key])).values()]

let copies = 0
function copyOfRepository(): string {
  const copy = join(work, `copy-${++copies}`)
  cpSync(committed, copy, { recursive: true })
  return copy
}

/** What a restored tree has of an entry: no number of the old file system, no time that nobody can set. */
function restorable({ ctimeNs, inode, user, group, extents, ...entry }: DescribedEntry): Partial<DescribedEntry> {
  return entry
}

describe.each(Object.entries(secrets))('the independent reader with the %s', (_kind, secret) => {
  it('finds the snapshots of the committed repository', async () => {
    const snapshots = await readJson<ReadSnapshot[]>(committed, secret)
    const found = snapshots.map(({ id, parent, hostname, paths, tags, issues, stats }) => ({
      id,
      parent,
      hostname,
      paths: paths.map(({ text }) => text),
      tags,
      issues: issues.map(({ kind, path, message }) => ({ kind, path: path.text, message })),
      stats,
    }))
    expect(found).toMatchObject([older, newer].map(({ entries, ...rest }) => rest))
  })

  it.each([older, newer])('reads every entry of snapshot $id as it was', async ({ id, entries }) => {
    expect(await readJson(committed, secret, 'list', id)).toEqual(entries)
  })
})

describe('the independent reader', () => {
  const code = secrets['recovery code']
  const whole = { snapshots: 2, blobs: expect.any(Number) }

  it('opens with a recovery code as people type it, and with a passphrase in composed form', async () => {
    const typed = code.toLowerCase().replaceAll('-', ' ').replaceAll('0', 'o').replaceAll('1', 'l')
    expect(typed).not.toBe(code)
    expect(await readJson(committed, typed, 'check')).toEqual(whole)
    expect(secrets.passphrase.normalize('NFC')).not.toBe(secrets.passphrase)
    expect(await readJson(committed, secrets.passphrase.normalize('NFC'), 'check')).toEqual(whole)
  })

  it('does not open with another passphrase', async () => {
    const { code, stderr } = await read(committed, 'wrong')
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('No key slot opens') })
  })

  it.each(oneOfEach)('refuses the repository after one bit of %s flipped', async (key) => {
    const repository = copyOfRepository()
    flipBit(join(repository, key), 0.5)
    const { code: exitCode, stderr } = await read(repository, code, 'check')
    expect(exitCode).toBe(1)
    expect(stderr).toContain('Damage: ')
  })

  it.each(packs.slice(0, 2))('refuses the blobs of %s when the name was made to fit the flipped bit', async (key) => {
    const repository = copyOfRepository()
    const bytes = flipBit(join(repository, key), 0)
    unlinkSync(join(repository, key))
    const name = createHash('sha256').update(bytes).digest('hex')
    mkdirSync(join(repository, 'packs', name.slice(0, 2)), { recursive: true })
    writeFileSync(join(repository, 'packs', name.slice(0, 2), name), bytes)
    const { stderr } = await read(repository, code, 'check')
    expect(stderr).toMatch(/^Damage: .* does not authenticate/)
  })
})

describe('bkp itself', () => {
  const env = { BKP_PASSWORD: secrets.passphrase }

  it.each([older, newer])('lists every entry of snapshot $id as it was', async ({ id, entries }) => {
    const ran = await bkp(['ls', id, '--recursive', '--json', '--from', copyOfRepository()], { env })
    const listed = ran.stdout
      .trim()
      .split('\n')
      .map((line) => described(JSON.parse(line)))
    expect(listed).toEqual(entries.map(shownByLs))
  })

  it('finds no damage with the recovery code', async () => {
    const args = ['check', '--read-data', '--from', copyOfRepository()]
    const checked = await bkpJson([...args, '--recovery-code-file', vector('recovery-code.txt')])
    expect(checked).toMatchObject({ damages: [], packsRead: packs.length })
  })

  it.runIf(ownsMachine).each([older, newer])('restores snapshot $id as it was', async ({ id, entries }) => {
    const target = join(work, `restored-${id}`)
    const ran = await bkp(['restore', id, '--from', copyOfRepository(), '--target', target], { env })
    // The two entries that could not be read when the backup was made.
    expect(ran.code).toBe(3)
    const isThere = ({ type, error }: DescribedEntry) => type !== 'file' || error === undefined
    const expected = entries.filter(isThere).map(({ error, ...entry }) => restorable(entry))
    expect(describeTree(target, 'bkp-vectors').map(restorable)).toEqual(expected)
  })
})

describe.runIf(ownsMachine).each([
  ['zstd', 'xchacha20-poly1305'],
  ['deflate', 'aes-256-gcm'],
])('a random tree that bkp stored with %s and %s', (compression, cipher) => {
  const seed = Math.floor(Math.random() * 2 ** 31)
  const place = join(work, compression)
  const source = join(place, 'source')
  const repository = join(place, 'repository')

  it(`is read by the independent reader as it is (seed ${seed})`, async () => {
    mkdirSync(place)
    makeRandomTree(source, seed)
    await bkpJson(['init', '--to', repository])
    await bkpJson(['backup', source, '--to', repository, '--compression', compression, '--cipher', cipher])
    const top = source.slice(1)
    const isBelow = ({ path }: DescribedEntry) =>
      Buffer.from(typeof path === 'string' ? path : path.base64, typeof path === 'string' ? 'utf8' : 'base64')
        .toString('latin1')
        .startsWith(top)
    const withoutNames = ({ user, group, extents, ...entry }: DescribedEntry) => entry
    const out = join(place, 'out')
    const listed = await readJson<DescribedEntry[]>(repository, passphrase, 'restore', out)
    const expected = describeTree('', top)
    expect(expected.length).toBeGreaterThan(20)
    expect(listed.filter(isBelow).map(withoutNames)).toEqual(expected.map(withoutNames))

    const asWritten = ({ path, type, mode, size, sha256, target, sameFileAs }: DescribedEntry) =>
      type === 'symlink' ? { path, type, target } : { path, type, mode, size, sha256, sameFileAs }
    expect(describeTree(out, top).map(asWritten)).toEqual(expected.map(asWritten))
  })
})

function objectsOf(repository: string): string[] {
  return readdirSync(repository, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(repository.length + 1))
    .sort()
}

/** Flips a bit of the byte at `fraction` of what follows the header of a sealed object. */
function flipBit(path: string, fraction: number): Buffer {
  const bytes = readFileSync(path)
  const headerBytes = 128
  const at = headerBytes + Math.floor((bytes.length - headerBytes) * fraction)
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at)
  writeFileSync(path, bytes)
  return bytes
}

/** What `bkp ls --json` prints of paths: the bytes where they are not UTF-8. */
interface ListedPath {
  readonly path: string
  readonly pathBase64?: string
}

interface Listed extends ListedPath {
  readonly kind: string
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly userName?: string
  readonly groupName?: string
  readonly sizeBytes: number
  readonly mtimeSeconds: number
  readonly mtimeNanoseconds: number
  readonly linkTarget?: ListedPath
  readonly error?: string
}

/** A line of `bkp ls --json` in the form of expected.json, as far as it tells the same. */
function described(line: Listed): Partial<DescribedEntry> {
  const { uid, gid, userName: user, groupName: group, linkTarget, error } = line
  const mtimeNs = BigInt(line.mtimeSeconds) * 1_000_000_000n + BigInt(line.mtimeNanoseconds)
  return {
    path: portable(line, '/'.length),
    type: line.kind.replace('-', ' '),
    mode: line.mode.toString(8).padStart(4, '0'),
    uid,
    gid,
    mtimeNs: String(mtimeNs),
    size: line.sizeBytes,
    ...(user === undefined ? {} : { user }),
    ...(group === undefined ? {} : { group }),
    ...(linkTarget === undefined ? {} : { target: portable(linkTarget) }),
    ...(error === undefined ? {} : { error }),
  }
}

function portable({ path, pathBase64 }: ListedPath, skipBytes = 0): Portable {
  if (pathBase64 === undefined) return path.slice(skipBytes)
  return { base64: Buffer.from(pathBase64, 'base64').subarray(skipBytes).toString('base64') }
}

function shownByLs(entry: DescribedEntry): Partial<DescribedEntry> {
  const { ctimeNs, inode, xattrs, device, extents, links, sameFileAs, sha256, ...shown } = entry
  return shown
}
