import { execFileSync } from 'node:child_process'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ForgedEntry } from '../../support/forged-entry.js'
import { type ForgedRepository, Forger } from '../../support/forged-repository.js'
import { type CheckReport, expectNoBreakdown, type RestoreReport, reportOf } from '../../support/outcomes.js'
import { bkp } from '../../support/run-bkp.js'

const work = mkdtempSync(join(tmpdir(), 'bkp-hostile-trees-'))
const canary = join(work, 'canary')
const repository = join(work, 'repository')
const target = join(work, 'a', 'b', 'target')

/** Directories that are refused, as a whole or from the lie on, by what is wrong with them. */
const refused: Readonly<Record<string, (forged: ForgedRepository) => ForgedEntry>> = {
  parent: (forged) => forged.directoryOf('parent', [forged.file('..', 'x')]),
  'parent-folder': (forged) =>
    forged.directoryOf('parent-folder', [forged.directoryOf('..', [forged.file('out', 'x')])]),
  self: (forged) => forged.directoryOf('self', [forged.file('.', 'x')]),
  nameless: (forged) => forged.directoryOf('nameless', [forged.file('', 'x')]),
  slash: (forged) => forged.directoryOf('slash', [forged.file('../../../canary/file', 'x')]),
  absolute: (forged) => forged.directoryOf('absolute', [forged.file(join(canary, 'file'), 'x')]),
  nul: (forged) => forged.directoryOf('nul', [forged.file('a\0b', 'x')]),
  'name-of-70000': (forged) => forged.directoryOf('name-of-70000', [forged.file('n'.repeat(70_000), 'x')]),
  twice: (forged) => forged.directoryOf('twice', [forged.file('x', 'first'), forged.file('x', 'second')]),
  unordered: (forged) => forged.directoryOf('unordered', [forged.file('b', 'b'), forged.file('a', 'a')]),
  'through-a-link': (forged) =>
    forged.directoryOf('through-a-link', [
      { kind: 'symlink', name: 'x', linkTarget: canary },
      forged.directoryOf('x', [forged.file('file', 'overwritten')]),
    ]),
  'through-a-link-of-another-blob': (forged) => ({
    kind: 'directory',
    name: 'through-a-link-of-another-blob',
    tree: [
      forged.tree([{ kind: 'symlink', name: 'x', linkTarget: canary }]),
      forged.tree([forged.directoryOf('x', [forged.file('file', 'overwritten')])]),
    ],
  }),
  'more-than-there-is': (forged) => ({
    kind: 'directory',
    name: 'more-than-there-is',
    tree: [forged.data('not a tree at all')],
  }),
  'unknown-kind': (forged) =>
    forged.directoryOf('unknown-kind', [{ name: 'x', raw: {}, mode: 0o644, kind: 'no such kind' as 'file' }]),
  'mode-of-a-device': (forged) => forged.directoryOf('mode-of-a-device', [{ name: 'x', mode: 0o20644 }]),
  'negative-size': (forged) => forged.directoryOf('negative-size', [{ name: 'x', sizeBytes: -1n }]),
  'size-of-2-53': (forged) => forged.directoryOf('size-of-2-53', [{ name: 'x', sizeBytes: 2n ** 53n }]),
  'year-of-2-62': (forged) => forged.directoryOf('year-of-2-62', [{ name: 'x', mtimeSeconds: 2n ** 62n }]),
  'nested-lists': (forged) =>
    forged.directoryOf('nested-lists', [
      { name: 'x', sizeBytes: 1n, content: { depth: 4, ids: [forged.list([forged.data('x')])] } },
    ]),
  'backward-extents': (forged) =>
    forged.directoryOf('backward-extents', [
      {
        name: 'x',
        sizeBytes: 9n,
        extents: [
          [5n, 1n],
          [1n, 1n],
        ],
        content: { depth: 0, ids: [forged.data('xy')] },
      },
    ]),
  'extents-of-2-53': (forged) =>
    forged.directoryOf('extents-of-2-53', [
      { name: 'x', sizeBytes: 9n, extents: [[2n ** 53n - 1n, 2n]], content: { depth: 0, ids: [forged.data('xy')] } },
    ]),
  'fields-that-overlap': (forged) =>
    forged.directoryOf('fields-that-overlap', [{ name: 'x', raw: { 6: Buffer.alloc(40) } }]),
}

/** Single files that are refused, while their neighbours are restored. */
const lost: Readonly<Record<string, (forged: ForgedRepository) => Omit<ForgedEntry, 'name'>>> = {
  'longer-than-its-chunks': (forged) => ({ sizeBytes: 100n, content: { depth: 0, ids: [forged.data('short')] } }),
  'shorter-than-its-chunks': (forged) => ({ sizeBytes: 2n, content: { depth: 0, ids: [forged.data('longer')] } }),
  'of-2-53-bytes': (forged) => ({ sizeBytes: 2n ** 53n - 1n, content: { depth: 0, ids: [forged.data('short')] } }),
  'without-its-chunks': (forged) => ({
    sizeBytes: 3n,
    content: { depth: 0, ids: [forged.data('xyz').map((b) => b ^ 1)] },
  }),
  'with-data-behind-its-end': (forged) => ({
    sizeBytes: 2n,
    extents: [[10n, 5n]],
    content: { depth: 0, ids: [forged.data('12345')] },
  }),
  'with-a-tree-as-content': (forged) => {
    const tree = forged.tree([])
    return { sizeBytes: 8n, content: { depth: 0, ids: [tree] } }
  },
  'with-a-list-that-is-none': (forged) => ({ sizeBytes: 7n, content: { depth: 1, ids: [forged.data('no list')] } }),
  'with-a-list-of-half-an-id': (forged) => ({
    sizeBytes: 7n,
    content: { depth: 1, ids: [forged.list([forged.data('seven77').subarray(0, 31)])] },
  }),
}

const inOrder = (entries: readonly ForgedEntry[]) =>
  [...entries].sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)))

let restored: RestoreReport
let checked: CheckReport

beforeAll(async () => {
  mkdirSync(canary)
  writeFileSync(join(canary, 'file'), 'canary')
  const forged = (await Forger.create(join(work, 'template'))).repository(repository)
  const files = Object.entries(lost).map(([name, forge]) => ({ ...forge(forged), name }))
  const root = [
    ...Object.values(refused).map((forge) => forge(forged)),
    forged.directoryOf('lost', inOrder([forged.file('a-sound-one', 'sound'), ...files])),
    forged.directoryOf('sound', [forged.file('file', 'sound')]),
    { kind: 'symlink', name: 'zz-link', linkTarget: canary } as const,
  ]
  forged.commit(inOrder(root))
  restored = reportOf(await bkp(['restore', 'latest', '--from', repository, '--target', target, '--json']), 13)
  checked = reportOf(await bkp(['check', '--from', repository, '--read-data', '--json']), 13)
})
afterAll(() => rmSync(work, { recursive: true, force: true }))

describe('a tree by somebody who has the key', () => {
  it.each(Object.keys(refused))('%s: is refused, and the issue names the folder', (name) => {
    expect(restored.issues.filter(({ kind }) => kind === 'damaged').map(({ path }) => path)).toContain(`/${name}`)
    const within = existsSync(join(target, name)) ? readdirSync(join(target, name)) : []
    // Of an unordered folder, what came before the lie is there: the first entry of it.
    expect(within.length).toBeLessThanOrEqual(1)
    expect(within.every((entry) => !lstatSync(join(target, name, entry)).isDirectory())).toBe(true)
  })

  it.each(Object.keys(lost))('a file %s: is refused, and the issue names the file', (name) => {
    expect(restored.issues).toContainEqual(expect.objectContaining({ kind: 'damaged', path: `/lost/${name}` }))
    expect(readdirSync(join(target, 'lost'))).toEqual(['a-sound-one'])
  })

  it.each(Object.keys(lost))('a file %s: is refused by dump before its first byte', async (name) => {
    const ran = await bkp(['dump', `latest:/lost/${name}`, '--from', repository])
    expectNoBreakdown(ran)
    expect(ran).toMatchObject({ code: 13, stdout: '', stderr: expect.stringContaining(`/lost/${name} is damaged`) })
  })

  it.each([...Object.keys(refused).map((name) => `/${name}`), ...Object.keys(lost).map((name) => `/lost/${name}`)])(
    '%s: is named by check too',
    (path) => expect(checked.damages.flatMap(({ affects }) => affects.map((lost) => lost.path))).toContain(path),
  )

  it('writes nothing outside of the target, and all that is sound', () => {
    expect(readdirSync(canary)).toEqual(['file'])
    expect(readFileSync(join(canary, 'file'), 'utf8')).toBe('canary')
    expect(
      execFileSync('find', [join(work, 'a'), '-path', target, '-prune', '-o', '-type', 'f', '-print']).length,
    ).toBe(0)
    expect(readFileSync(join(target, 'sound', 'file'), 'utf8')).toBe('sound')
    expect(readFileSync(join(target, 'lost', 'a-sound-one'), 'utf8')).toBe('sound')
    expect(execFileSync('find', [target, '-name', '.bkp-*']).toString()).toBe('')
  })

  it('counts what is lost', () => {
    expect(restored.damaged).toBe(Object.keys(refused).length + Object.keys(lost).length)
  })
})
