import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { asTarget, bothPassphrases, copyOf, expectSound, makeTarget, packsOf, snapshotsOf } from '../support/copies.js'
import type { ForgedEntry } from '../support/forged-entry.js'
import { Forger } from '../support/forged-repository.js'
import { bkp, bkpJson, type Ran } from '../support/run-bkp.js'
import { noise } from '../support/torture-tree.js'

const work = mkdtempSync(join(tmpdir(), 'bkp-copy-failures-'))

afterAll(() => rmSync(work, { recursive: true, force: true }))

describe('a copy from a damaged repository', () => {
  const source = join(work, 'damaged')
  const from = join(work, 'damaged-a')
  const pristine = join(work, 'damaged-pristine')

  beforeAll(async () => {
    mkdirSync(source)
    writeFileSync(join(source, 'sound'), noise(400_000, 5))
    await bkpJson(['init', '--to', from])
    await bkpJson(['backup', source, '--to', from], { env: { BKP_WORKERS: '1' } })
    const known = new Set(packsOf(from))
    writeFileSync(join(source, 'lost'), noise(3_000_000, 6))
    await bkpJson(['backup', source, '--to', from], { env: { BKP_WORKERS: '1' } })
    const packs = packsOf(from).filter((pack) => !known.has(pack))
    rmSync(join(source, 'lost'))
    writeFileSync(join(source, 'later'), noise(300_000, 7))
    await bkpJson(['backup', source, '--to', from], { env: { BKP_WORKERS: '1' } })
    cpSync(from, pristine, { recursive: true })
    const largest = packs.reduce((a, b) => (sizeIn(a) > sizeIn(b) ? a : b))
    const path = join(from, largest.split(' ')[0] as string)
    const bytes = readFileSync(path)
    bytes[300_000] = (bytes[300_000] as number) ^ 1
    writeFileSync(path, bytes)
  })

  const sizeIn = (object: string) => Number(object.split(' ')[1])

  it('leaves out what is damaged, says which files are lost, and copies the others', async () => {
    const to = await makeTarget(join(work, 'damaged-b'))
    const { snapshots } = await copyOf(['--from', from, '--to', to], 13)
    expect(snapshots.map(({ state }) => state)).toEqual(['copied', 'damaged', 'copied'])
    expect(snapshots[1]?.target).toBeNull()
    expect(snapshots[1]?.faults).toEqual([
      { path: join(source, 'lost'), message: expect.stringMatching(/^packs\/.*do not authenticate/) },
    ])
    const copied = await snapshotsOf(to, asTarget)
    // The parent of the last was not copied.
    expect(copied.map(({ parent }) => parent)).toEqual([null, null])
    await expectSound(to)
    const target = join(work, 'damaged-restored')
    await bkpJson(['restore', `latest:${source}`, '--from', to, '--target', target], asTarget)
    execFileSync('diff', ['-r', source, target])
    const people = await bkp(['copy', '--from', from, '--to', to], bothPassphrases)
    expect(people.code).toBe(13)
    expect(people.stdout).toContain(`${join(source, 'lost')}: packs/`)
  })

  it('reads what is damaged from another destination of the source', async () => {
    const sound = join(work, 'damaged-sound')
    cpSync(pristine, sound, { recursive: true })
    const to = await makeTarget(join(work, 'damaged-e'))
    const { snapshots } = await copyOf(['--from', from, '--from', sound, '--to', to])
    expect(snapshots.map(({ state }) => state)).toEqual(['copied', 'copied', 'copied'])
    await expectSound(to)
  })

  it('does the same where a pack of trees, or a snapshot, is gone', async () => {
    const broken = join(work, 'damaged-c')
    cpSync(from, broken, { recursive: true })
    const [last] = (await snapshotsOf(broken)).slice(-1)
    rmSync(join(broken, 'snapshots', last?.id as string))
    writeFileSync(join(broken, 'snapshots', last?.id as string), 'no snapshot')
    for (const pack of packsOf(broken)) {
      const path = join(broken, pack.split(' ')[0] as string)
      // The fifth byte of a pack tells its kind: 2 holds trees.
      if (readFileSync(path)[4] === 2) rmSync(path)
    }
    const to = await makeTarget(join(work, 'damaged-d'))
    const { snapshots, broken: unreadable } = await copyOf(['--from', broken, '--to', to], 13)
    expect(snapshots.map(({ state }) => state)).toEqual(['damaged', 'damaged'])
    for (const { faults } of snapshots) expect(faults).toMatchObject([{ path: '/' }])
    expect(unreadable).toMatchObject([{ key: `snapshots/${last?.id}` }])
    expect(await snapshotsOf(to, asTarget)).toEqual([])
  })
})

describe('a copy of trees that are seldom', () => {
  it('keeps long contents, whose lists it writes anew, and folders of several trees', async () => {
    const forger = await Forger.create(join(work, 'seldom-keys'))
    const from = forger.repository(join(work, 'seldom-a'))
    const chunks = Array.from({ length: 12 }, (_, n) => from.data(noise(5000, n + 1)))
    const inner = [from.list(chunks.slice(0, 5)), from.list(chunks.slice(5, 9)), from.list(chunks.slice(9))]
    const outer = [from.list(inner.slice(0, 2)), from.list(inner.slice(2))]
    const content = Buffer.concat(Array.from({ length: 12 }, (_, n) => noise(5000, n + 1)))
    const long: ForgedEntry = { name: 'long', sizeBytes: 60_000n, content: { depth: 2, ids: outer } }
    // A later version may have fields that this one does not know.
    const unknown = { ...from.file('unknown', 'field'), raw: { 77: Buffer.from('kept as it is') } }
    const parts = [from.tree([from.file('a', 'one'), from.file('b', 'two')]), from.tree([from.file('c', 'three')])]
    from.commit([{ kind: 'directory', name: 'folder', tree: parts }, long, unknown])
    from.commit([long], { time: '2026-01-03T03:04:05.000000000Z' })
    const to = await makeTarget(join(work, 'seldom-b'))
    const first = (await snapshotsOf(from.directory))[0]?.id as string
    expect((await copyOf([first, '--from', from.directory, '--to', to])).snapshots).toMatchObject([{ state: 'copied' }])
    const { snapshots, stats } = await copyOf(['--from', from.directory, '--to', to])
    expect(snapshots.map(({ state }) => state)).toEqual(['present', 'copied'])
    // All but the new root is learned from the first, lists included.
    expect(stats.blobsRead).toBe(1)
    await expectSound(to)
    const target = join(work, 'seldom-restored')
    const [id] = (await snapshotsOf(to, asTarget)).map((snapshot) => snapshot.id)
    await bkpJson(['restore', id as string, '--from', to, '--target', target], asTarget)
    expect(readFileSync(join(target, 'long')).equals(content)).toBe(true)
    expect(readdirSync(join(target, 'folder'))).toEqual(['a', 'b', 'c'])
    expect(readFileSync(join(target, 'unknown'), 'utf8')).toBe('field')
  })

  it('refuses contents that are not as long as their entry says, and lists that are trees', async () => {
    const forger = await Forger.create(join(work, 'false-keys'))
    const to = await makeTarget(join(work, 'false-b'))
    const short = forger.repository(join(work, 'false-short'))
    short.commit([{ ...short.file('x', 'text'), sizeBytes: 5n }, short.file('y', 'sound')])
    const confused = forger.repository(join(work, 'false-confused'))
    const tree = confused.tree([confused.file('inner', 'text')])
    confused.commit([
      { kind: 'directory', name: 'a', tree: [tree] },
      { name: 'b', sizeBytes: 4n, content: { depth: 1, ids: [tree] } },
    ])
    const absent = forger.repository(join(work, 'false-absent'))
    absent.commit([{ name: 'gone', sizeBytes: 4n, content: { depth: 0, ids: [new Uint8Array(32).fill(7)] } }])
    const expected = [
      [short, '/x', /4 bytes instead of 5/],
      [confused, '/b', /./],
      [absent, '/gone', /not in the index|does not have/],
    ] as const
    for (const [{ directory }, path, message] of expected) {
      const { snapshots } = await copyOf(['--from', directory, '--to', to], 13)
      expect(snapshots).toMatchObject([{ state: 'damaged', faults: [{ path }] }])
      expect(snapshots[0]?.faults).toHaveLength(1)
      expect(snapshots[0]?.faults[0]?.message).toMatch(message)
    }
    expect(await snapshotsOf(to, asTarget)).toEqual([])
  })
})

describe('a copy that is killed', () => {
  const source = join(work, 'killed')
  const from = join(work, 'killed-a')

  beforeAll(async () => {
    mkdirSync(source)
    for (let n = 0; n < 60; n++) writeFileSync(join(source, `file-${n}`), noise(1_500_000, n + 1))
    await bkpJson(['init', '--to', from])
    await bkpJson(['backup', source, '--to', from, '--compression', 'none'])
  })

  it('uses what it had stored when it is begun again', async () => {
    const to = await makeTarget(join(work, 'killed-b'))
    let isStored: () => void = () => undefined
    const stored = new Promise<void>((resolve) => (isStored = resolve))
    const args = ['copy', '--from', from, '--to', to, '--compression', 'zstd', '--json', '--progress']
    const killed: Ran = await bkp(args, {
      env: { ...bothPassphrases.env, BKP_WORKERS: '1' },
      onStart: (child) => {
        const watch = setInterval(() => {
          if (packsOf(to).length >= 2) isStored()
        }, 5)
        child.on('exit', () => clearInterval(watch))
        void stored.then(() => child.kill('SIGKILL'))
      },
    })
    expect(killed.code).toBeNull()
    expect(await snapshotsOf(to, asTarget)).toEqual([])
    const before = packsOf(to)
    expect(before.length).toBeGreaterThanOrEqual(2)
    const { snapshots, stats } = await copyOf(['--from', from, '--to', to])
    expect(snapshots).toMatchObject([{ state: 'copied' }])
    expect(packsOf(to)).toEqual(expect.arrayContaining([...before]))
    expect(stats.newBytes).toBeLessThan(70_000_000)
    expect(readdirSync(join(to, 'sessions'))).toEqual([])
    await expectSound(to)
    const target = join(work, 'killed-restored')
    await bkpJson(['restore', `latest:${source}`, '--from', to, '--target', target], asTarget)
    execFileSync('diff', ['-r', source, target])
  })
})
