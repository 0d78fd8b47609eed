import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { encodeIndexSegment, type IndexPack } from '../../../packages/core/src/format/index-segment.js'
import { type ForgedRepository, Forger, type RowLie } from '../../support/forged-repository.js'
import { type CheckReport, expectNoBreakdown, type RestoreReport, reportOf } from '../../support/outcomes.js'
import { bkp } from '../../support/run-bkp.js'
import { noise } from '../../support/torture-tree.js'

const work = mkdtempSync(join(tmpdir(), 'bkp-hostile-index-'))
const content = noise(50_000, 1)
let forger: Forger
let last = 0

beforeAll(async () => {
  forger = await Forger.create(join(work, 'template'))
})
afterAll(() => rmSync(work, { recursive: true, force: true }))

interface Files {
  readonly forged: ForgedRepository
  /** The chunk of `/a/victim`, the second one of its pack. */
  readonly victim: Uint8Array
  /** The chunk before it, of no file. */
  readonly other: Uint8Array
  /** The tree of `/a`, alone in its pack. */
  readonly below: Uint8Array
  commit(): { readonly index: string; readonly snapshot: string }
}

/** `/a/victim`, about which the index is going to lie, and `/b/sound`, whose chunk and tree lie in other packs. */
function repository(): Files {
  const forged = forger.repository(join(work, `repository-${++last}`))
  const sound = forged.directoryOf('b', [forged.file('sound', 'sound')])
  forged.cut('data')
  const other = forged.data(noise(60_000, 2))
  const victim = forged.data(content)
  forged.cut('data')
  forged.cut('metadata')
  const below = forged.tree([{ name: 'victim', sizeBytes: 50_000n, content: { depth: 0, ids: [victim] } }])
  forged.cut('metadata')
  const root = forged.tree([{ kind: 'directory', name: 'a', tree: [below] }, sound])
  return { forged, victim, other, below, commit: () => forged.commit([root]) }
}

interface Examined {
  readonly issues: RestoreReport['issues']
  readonly damages: CheckReport['damages']
  /** Paths that check says are lost. */
  readonly affected: readonly string[]
  /** What `/a/victim` came back as. */
  readonly restored: Buffer | undefined
}

/** Restores, which must give back `/b/sound` whatever else is wrong, and checks. */
async function examine({ forged: { directory } }: Files, codes = { restore: 13, check: 13 }): Promise<Examined> {
  const target = `${directory}-target`
  const [restoring, checking] = await Promise.all([
    bkp(['restore', 'latest', '--from', directory, '--target', target, '--json']),
    bkp(['check', '--from', directory, '--read-data', '--json']),
  ])
  const { issues } = reportOf<RestoreReport>(restoring, codes.restore)
  const { damages } = reportOf<CheckReport>(checking, codes.check)
  expect(readFileSync(join(target, 'b', 'sound'), 'utf8')).toBe('sound')
  const affected = damages.flatMap(({ affects }) => affects.map(({ path }) => path))
  return { issues, damages, affected, restored: readIfThere(join(target, 'a', 'victim')) }
}

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function expectLost({ issues, restored, affected }: Examined, path = '/a/victim'): void {
  expect(issues).toMatchObject([{ kind: 'damaged', path }])
  expect(restored).toBeUndefined()
  expect(affected).toContain(path)
}

describe('an index that lies about a chunk', () => {
  const lies: Readonly<Record<string, RowLie>> = {
    'by another offset': { offset: 60_145 },
    'by a shorter length': { sealedLength: 100 },
    'by a length of what the cipher adds': { sealedLength: 16 },
    'by another plain length': { plainLength: 49_999 },
    'by a plain length of 16 MiB': { plainLength: 16 * 1024 * 1024 },
  }
  it.each(Object.entries(lies))('%s: loses that file only', async (_, lie) => {
    const files = repository()
    files.forged.lieAbout(files.victim, lie)
    files.commit()
    expectLost(await examine(files))
  })

  it('by the place of another chunk: loses that file only', async () => {
    const files = repository()
    files.forged.lieAbout(files.victim, { id: Buffer.alloc(32, 1) })
    files.forged.lieAbout(files.other, { id: files.victim, plainLength: 50_000 })
    files.commit()
    expectLost(await examine(files))
  })
})

describe('an index segment that cannot be true', () => {
  const lies: Readonly<Record<string, RowLie>> = {
    'an offset behind the pack': { offset: 2 ** 32 - 1 },
    'an end behind the pack': { sealedLength: 16_000_000 },
    'a length of nothing': { sealedLength: 0 },
    'a plain length of nothing': { plainLength: 0 },
    'a plain length of 4 GiB': { plainLength: 2 ** 32 - 1 },
    'rows that overlap': { offset: 60_000 },
    'rows that are not in order': { offset: 128 },
  }
  it.each(Object.entries(lies))('%s: is named, and what other segments say is restored', async (_, lie) => {
    const files = repository()
    files.forged.lieAbout(files.victim, lie)
    const others = files.forged.packs.filter(({ rows }) => !Buffer.from(rows).includes(Buffer.from(files.victim)))
    files.forged.putSealed('index', encodeIndexSegment(others))
    const { index } = files.commit()
    const examined = await examine(files)
    expectLost(examined)
    expect(examined.damages.map(({ key }) => key)).toContain(index)
  })
})

describe('an index that names a pack', () => {
  const notThere = { name: 'ab'.repeat(32) }
  const larger = { sizeBytes: 40_000_000 }
  const lie = ({ forged }: Files, id: Uint8Array, change: Partial<IndexPack>): string => {
    const at = forged.packs.findIndex(({ rows }) => Buffer.from(rows).includes(Buffer.from(id)))
    const pack = { ...(forged.packs[at] as IndexPack), ...change }
    forged.packs[at] = pack
    return `packs/${pack.name.slice(0, 2)}/${pack.name}`
  }

  it('that is not there, with chunks: loses those files only', async () => {
    const files = repository()
    const pack = lie(files, files.victim, notThere)
    files.commit()
    const examined = await examine(files)
    expectLost(examined)
    expect(examined.issues).toMatchObject([{ message: expect.stringContaining(notThere.name) }])
    expect(examined.damages.map(({ key }) => key)).toContain(pack)
  })

  it('larger than it is, with chunks: loses nothing, and is named by check', async () => {
    const files = repository()
    const pack = lie(files, files.victim, larger)
    files.commit()
    const { damages, restored } = await examine(files, { restore: 0, check: 13 })
    expect(restored?.equals(content)).toBe(true)
    expect(damages.map(({ key }) => key)).toContain(pack)
  })

  it.each(Object.entries({ 'that is not there': notThere, 'larger than it is': larger }))(
    '%s, with trees: loses those folders only',
    async (_, change) => {
      const files = repository()
      const pack = lie(files, files.below, change)
      files.commit()
      const examined = await examine(files)
      expectLost(examined, '/a')
      expect(examined.issues).toMatchObject([{ message: expect.stringContaining(pack) }])
      expect(examined.damages.map(({ key }) => key)).toContain(pack)
    },
  )
})

describe('a tree that is said to lie where another one is', () => {
  it('is refused, so that no folder contains itself', async () => {
    const files = repository()
    const inner = files.forged.tree([{ kind: 'directory', name: 'again', tree: [files.below] }])
    files.forged.cut('metadata')
    files.forged.lieAbout(files.below, { id: Buffer.alloc(32, 7) })
    files.forged.lieAbout(inner, { id: files.below })
    files.commit()
    expectLost(await examine(files), '/a')
    const ls = await bkp(['ls', 'latest', '--recursive', '--from', files.forged.directory])
    expectNoBreakdown(ls)
    expect(ls).toMatchObject({ code: 13, stderr: expect.stringContaining('/a: ') })
  })
})
