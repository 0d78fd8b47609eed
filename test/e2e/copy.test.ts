import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ForgedEntry } from '../support/forged-entry.js'
import { Forger } from '../support/forged-repository.js'
import { ownsMachine } from '../support/machine.js'
import { expectNoBreakdown } from '../support/outcomes.js'
import { bkp, bkpJson, type Ran } from '../support/run-bkp.js'
import { makeTortureTree, noise } from '../support/torture-tree.js'

const work = mkdtempSync(join(tmpdir(), 'bkp-copy-'))
const targetPassphrase = 'another horse, another battery'
/** For commands on the target alone. */
const asTarget = { env: { BKP_PASSWORD: targetPassphrase } }
const bothPassphrases = { env: { BKP_TO_PASSWORD: targetPassphrase } }

interface CopyReport {
  readonly snapshots: readonly {
    readonly source: string
    readonly target: string | null
    readonly state: string
    readonly faults: readonly { readonly path: string; readonly message: string }[]
  }[]
  readonly broken: readonly { readonly key: string }[]
  readonly stats: { readonly blobsRead: number; readonly newBytes: number; readonly storedBytes: number }
  readonly destinations: readonly { readonly state: string; readonly storedBytes: number }[]
}

interface Listed {
  readonly id: string
  readonly time: string
  readonly parent: string | null
}

async function copyOf(args: readonly string[], code = 0): Promise<CopyReport> {
  const ran = await bkp(['copy', ...args, '--json'], bothPassphrases)
  expectNoBreakdown(ran)
  expect(ran, ran.stdout + ran.stderr).toMatchObject({ code })
  return JSON.parse(ran.stdout) as CopyReport
}

async function snapshotsOf(repository: string, options = {}): Promise<readonly Listed[]> {
  const document: unknown = await bkpJson(['snapshots', '--from', repository], options)
  return (document as { readonly snapshots: readonly Listed[] }).snapshots
}

async function makeTarget(name: string): Promise<string> {
  const repository = join(work, name)
  await bkpJson(['init', '--to', repository], asTarget)
  return repository
}

/** Objects of a repository but for sessions, by name and size. */
function objectsOf(repository: string): readonly string[] {
  const found = readdirSync(repository, { recursive: true, encoding: 'utf8' })
  const files = found.filter((name) => !name.startsWith('sessions') && statSync(join(repository, name)).isFile())
  return files.map((name) => `${name} ${statSync(join(repository, name)).size}`).sort()
}

function packsOf(repository: string): readonly string[] {
  return objectsOf(repository).filter((object) => object.startsWith('packs/'))
}

async function expectSound(repository: string): Promise<void> {
  expect(await bkpJson(['check', '--from', repository, '--read-data'], asTarget)).toMatchObject({ damages: [] })
}

// Node's own rm cannot delete paths above PATH_MAX.
afterAll(() => execFileSync('rm', ['-rf', work]))

describe.runIf(ownsMachine)('a copied torture tree', () => {
  const source = join(work, 'torture')
  const from = join(work, 'torture-a')
  let to: string

  /** What rsync would have to change to make the copy equal; nothing for a faithful copy. */
  function differences(target: string): string {
    // rsync knows no path above PATH_MAX: that part is compared by find, which walks step by step.
    const args = [
      '-aHAXni',
      '--checksum',
      '--delete',
      '--modify-window=-1',
      '--exclude=/deep',
      `${source}/`,
      `${target}/`,
    ]
    const list = (cwd: string) =>
      execFileSync('find', ['deep', '-printf', '%d %y %m %s %T@ %U:%G %f\\n'], { cwd, encoding: 'utf8' })
    expect(list(source)).toContain('bottom')
    return (
      execFileSync('rsync', args, { encoding: 'utf8' }) + (list(source) === list(target) ? '' : 'the deep path differs')
    )
  }

  beforeAll(async () => {
    const { missing } = makeTortureTree(source)
    for (const what of missing) console.warn(`not part of the torture tree here: ${what}`)
    await bkpJson(['init', '--to', from])
    await bkpJson(['backup', source, '--to', from, '--compression', 'zstd', '--tag', 'torture'])
    to = await makeTarget('torture-b')
  })

  it('comes back from a repository with another key, cipher and compression: rsync finds nothing to change', async () => {
    const flags = ['--cipher', 'xchacha20-poly1305', '--compression', 'deflate']
    const { snapshots, destinations } = await copyOf(['--from', from, '--to', to, ...flags])
    expect(snapshots).toMatchObject([{ state: 'copied', faults: [] }])
    expect(destinations).toMatchObject([{ state: 'complete' }])
    const target = join(work, 'torture-restored')
    await bkpJson(['restore', `latest:${source}`, '--from', to, '--target', target, '--verify'], asTarget)
    expect(differences(target)).toBe('')
    await expectSound(to)
    for (const pack of packsOf(to)) {
      const header = readFileSync(join(to, pack.split(' ')[0] as string)).subarray(0, 64)
      expect(header.toString('latin1')).toContain('xchacha20-poly1305')
    }
  })

  it('is listed entry by entry as in the source, its snapshot with all that was noted', async () => {
    const list = async (repository: string, options = {}) =>
      (await bkp(['ls', 'latest', '-R', '--from', repository, '--json'], options)).stdout
    expect(await list(to, asTarget)).toBe(await list(from))
    const [[original], [copied]] = [await snapshotsOf(from), await snapshotsOf(to, asTarget)]
    expect(copied).toEqual({ ...original, id: copied?.id })
    expect(copied?.id).not.toBe(original?.id)
  })

  it('is not copied twice', async () => {
    const before = objectsOf(to)
    const { snapshots, stats } = await copyOf(['--from', from, '--to', to])
    expect(snapshots).toMatchObject([{ state: 'present', target: (await snapshotsOf(to, asTarget))[0]?.id }])
    expect(stats).toMatchObject({ blobsRead: 0, storedBytes: 0 })
    expect(objectsOf(to)).toEqual(before)
  })

  it('is the parent of a backup into the target, which reads nothing that is as it was', async () => {
    const { stats, parent } = await bkpJson(['backup', source, '--to', to], asTarget)
    expect(parent).toBe((await snapshotsOf(to, asTarget))[0]?.id)
    expect(stats).toMatchObject({ errors: 0, filesNew: 0, filesChanged: 0 })
    // The folders above the source have other times now.
    expect(stats).toHaveProperty(
      'newBytes',
      expect.toSatisfy((bytes: number) => bytes < 5000),
    )
    await expectSound(to)
  })
})

describe('copies of several snapshots', () => {
  const source = join(work, 'several')
  const from = join(work, 'several-a')
  let to: string

  beforeAll(async () => {
    mkdirSync(join(source, 'below'), { recursive: true })
    writeFileSync(join(source, 'large'), noise(6_000_000, 1))
    for (let n = 0; n < 30; n++) writeFileSync(join(source, 'below', `small-${n}`), noise(4000, n + 10))
    await bkpJson(['init', '--to', from])
    await bkpJson(['backup', source, '--to', from])
    appendFileSync(join(source, 'below', 'small-3'), 'more')
    await bkpJson(['backup', source, '--to', from])
    to = await makeTarget('several-b')
  })

  it('keep order and parents, and share what they have in common', async () => {
    const { snapshots } = await copyOf(['--from', from, '--to', to])
    expect(snapshots.map(({ state }) => state)).toEqual(['copied', 'copied'])
    const [originals, copied] = [await snapshotsOf(from), await snapshotsOf(to, asTarget)]
    expect(copied.map(({ time }) => time)).toEqual(originals.map(({ time }) => time))
    expect(copied[0]?.parent).toBeNull()
    expect(copied[1]?.parent).toBe(copied[0]?.id)
    const stats = await bkpJson(['stats', '--from', to], asTarget)
    expect(stats).toMatchObject({ blobs: (await bkpJson(['stats', '--from', from])).blobs })
    await expectSound(to)
  })

  it('add only what is new later, and read nothing else', async () => {
    writeFileSync(join(source, 'below', 'new'), noise(50_000, 99))
    await bkpJson(['backup', source, '--to', from])
    const before = packsOf(to)
    const dry = await copyOf(['--from', from, '--to', to, '--dry-run'])
    expect(dry.snapshots.map(({ state }) => state)).toEqual(['present', 'present', 'planned'])
    expect(packsOf(to)).toEqual(before)
    const { snapshots, stats } = await copyOf(['--from', from, '--to', to])
    expect(snapshots.map(({ state }) => state)).toEqual(['present', 'present', 'copied'])
    // The new file, and the trees above it.
    expect(stats.newBytes).toBeLessThan(80_000)
    expect(stats.blobsRead).toBeLessThan(12)
    expect(dry.stats.blobsRead).toBe(stats.blobsRead)
    const copied = await snapshotsOf(to, asTarget)
    expect(copied[2]?.parent).toBe(copied[1]?.id)
    const target = join(work, 'several-restored')
    await bkpJson(['restore', `latest:${source}`, '--from', to, '--target', target], asTarget)
    execFileSync('diff', ['-r', source, target])
  })

  it('are made by name and by filter, and a parent that is not there is none', async () => {
    const few = await makeTarget('several-few')
    expect((await copyOf(['--from', from, '--to', few, '--host', 'nobody'])).snapshots).toEqual([])
    const { snapshots } = await copyOf(['latest', '--from', from, '--to', few])
    expect(snapshots).toMatchObject([{ state: 'copied' }])
    const copied = await snapshotsOf(few, asTarget)
    expect(copied).toMatchObject([{ parent: null }])
    await expectSound(few)
  })

  it('come back to where they came from as what is there already', async () => {
    const ran = await bkp(['copy', '--from', to, '--to', from, '--json'], {
      env: { BKP_PASSWORD: targetPassphrase, BKP_TO_PASSWORD: 'correct horse battery staple' },
    })
    expect(ran.code).toBe(0)
    const { snapshots } = JSON.parse(ran.stdout) as CopyReport
    expect(snapshots.map(({ state }) => state)).toEqual(['present', 'present', 'present'])
  })

  it('into the same repository are refused, and so is a wrong passphrase', async () => {
    const same = await bkp(['copy', '--from', from, '--to', from], {
      env: { BKP_TO_PASSWORD: 'correct horse battery staple' },
    })
    expect(same).toMatchObject({ code: 2 })
    expect(same.stderr).toContain('bkp sync')
    const wrong = await bkp(['copy', '--from', from, '--to', to], { env: { BKP_TO_PASSWORD: 'wrong' } })
    expect(wrong.code).toBe(12)
  })

  it('show no passphrase to the programs that give them', async () => {
    const seen = join(work, 'seen')
    const tell = (secret: string) => `env >> ${seen}; printf '${secret}'`
    const flags = ['--password-command', tell('correct horse battery staple'), '--dry-run', '--from', from, '--to', to]
    expect((await bkp(['copy', ...flags], bothPassphrases)).code).toBe(0)
    const environment = readFileSync(seen, 'utf8')
    expect(environment).toContain('PATH=')
    expect(environment).not.toMatch(/horse/)
  })

  it('go to several destinations of the target, also what one of them missed', async () => {
    const [one, two] = [join(work, 'replica-1'), join(work, 'replica-2')]
    await bkpJson(['init', '--to', one], asTarget)
    cpSync(one, two, { recursive: true })
    await copyOf(['--from', from, '--to', one, await firstIdOf(from)])
    const { destinations, snapshots } = await copyOf(['--from', from, '--to', one, '--to', two])
    expect(snapshots.map(({ state }) => state)).toEqual(['present', 'copied', 'copied'])
    expect(destinations).toMatchObject([{ state: 'complete' }, { state: 'complete' }])
    expect(objectsOf(two).filter((object) => !object.startsWith('@'))).toEqual(
      objectsOf(one).filter((object) => !object.startsWith('@')),
    )
    rmSync(two, { recursive: true })
    writeFileSync(join(source, 'below', 'last'), 'x')
    await bkpJson(['backup', source, '--to', from])
    const lagging = await copyOf(['--from', from, '--to', one, '--to', two], 4)
    expect(lagging.destinations.map(({ state }) => state).sort()).toEqual(['complete', 'lagging'])
  })

  async function firstIdOf(repository: string): Promise<string> {
    return (await snapshotsOf(repository))[0]?.id as string
  }
})

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
    const to = await makeTarget('damaged-b')
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
    const to = await makeTarget('damaged-e')
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
    const to = await makeTarget('damaged-d')
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
    const to = await makeTarget('seldom-b')
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
    const to = await makeTarget('false-b')
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
    const to = await makeTarget('killed-b')
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
