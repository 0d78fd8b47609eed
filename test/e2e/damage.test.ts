import {
  cpSync,
  existsSync,
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
import { bkp, bkpJson } from '../support/run-bkp.js'
import { noise } from '../support/torture-tree.js'

const work = mkdtempSync(join(tmpdir(), 'bkp-damage-'))
const source = join(work, 'source')
const pristine = join(work, 'pristine')
const other = join(work, 'other')
const broken = join(work, 'broken')

/** All objects of a family, the largest first. */
function objects(repository: string, family: string): string[] {
  const found = readdirSync(join(repository, family), { recursive: true, encoding: 'utf8' })
  const files = found.map((name) => join(family, name)).filter((name) => statSync(join(repository, name)).isFile())
  return files.sort((a, b) => statSync(join(repository, b)).size - statSync(join(repository, a)).size)
}

function damage(path: string, change: (bytes: Buffer) => Buffer | undefined): void {
  rmSync(broken, { recursive: true, force: true })
  cpSync(pristine, broken, { recursive: true })
  const changed = change(readFileSync(join(broken, path)))
  if (changed === undefined) rmSync(join(broken, path))
  else writeFileSync(join(broken, path), changed)
}

const flipAt = (share: number) => (bytes: Buffer) => {
  const at = Math.min(bytes.length - 1, Math.floor(bytes.length * share))
  bytes[at] = (bytes[at] as number) ^ 0x10
  return bytes
}

const damages: Readonly<Record<string, (bytes: Buffer) => Buffer | undefined>> = {
  'cut off in the middle': (bytes) => bytes.subarray(0, bytes.length >> 1),
  'one byte short': (bytes) => bytes.subarray(0, -1),
  'cut off in the header': (bytes) => bytes.subarray(0, 60),
  empty: () => Buffer.alloc(0),
  'with a bit flipped at the start': flipAt(0),
  'with a bit flipped in the wrapped key': (bytes) => flipAt(80 / bytes.length)(bytes),
  'with a bit flipped in the middle': flipAt(0.5),
  'with a bit flipped at the end': flipAt(1),
  'one byte longer': (bytes) => Buffer.concat([bytes, Buffer.from([0])]),
  missing: () => undefined,
}

beforeAll(async () => {
  mkdirSync(join(source, 'folder'), { recursive: true })
  writeFileSync(join(source, 'folder', 'large'), noise(3_000_000, 3))
  for (let n = 0; n < 20; n++) writeFileSync(join(source, 'folder', `small-${n}`), noise(3000, n + 50))
  for (const repository of [pristine, other]) {
    await bkpJson(['init', '--to', repository])
    await bkpJson(['backup', source, '--to', repository], { env: { BKP_WORKERS: '1' } })
  }
})
afterAll(() => rmSync(work, { recursive: true, force: true }))

describe.each(['packs', 'index', 'snapshots'])('an object of %s', (family) => {
  it.each(Object.keys(damages))('%s is named by check', async (kind) => {
    const [victim] = objects(pristine, family) as [string]
    damage(victim, damages[kind] as (bytes: Buffer) => Buffer)
    const { code, stdout } = await bkp(['check', '--from', broken, '--read-data', '--json'])
    if (family === 'snapshots' && kind === 'missing') {
      // Nothing can tell that a snapshot was deleted: see the threat model.
      expect(code).toBe(0)
      return
    }
    expect(code).toBe(13)
    // A missing index segment shows in the snapshots that need what it named.
    expect(stdout).toContain(kind === 'missing' && family === 'index' ? 'snapshots/' : victim)
  })

  it('replaced by one of another repository is named by check', async () => {
    const [victim] = objects(pristine, family) as [string]
    const [stranger] = objects(other, family) as [string]
    damage(victim, () => readFileSync(join(other, stranger)))
    const { code, stdout } = await bkp(['check', '--from', broken, '--read-data', '--json'])
    expect(code).toBe(13)
    expect(stdout).toContain(victim)
  })
})

describe('packs that no snapshot needs', () => {
  const told = async () => (await bkp(['check', '--from', broken])).stdout

  it('are not called harmless while an index or a snapshot is gone or damaged: it may have named them', async () => {
    const losses = [
      ['index', () => undefined],
      ['index', flipAt(0.5)],
      ['snapshots', flipAt(0.5)],
    ] as const
    for (const [family, loss] of losses) {
      const [victim] = objects(pristine, family) as [string]
      damage(victim, loss)
      const stdout = await told()
      expect(stdout).toMatch(/\d packs? in no snapshot that could be read: .* must not be deleted/)
      expect(stdout).not.toContain('harmless')
    }
  })

  it('are harmless where everything is there', async () => {
    const [pack] = objects(other, 'packs') as [string]
    rmSync(broken, { recursive: true, force: true })
    cpSync(pristine, broken, { recursive: true })
    cpSync(join(other, pack), join(broken, pack))
    expect(await told()).toContain('1 pack in no snapshot: leftovers')
  })
})

describe('a restore from a damaged repository', () => {
  it('delivers everything but what is damaged, and says so by exit code 13', async () => {
    const [pack] = objects(pristine, 'packs') as [string]
    damage(pack, flipAt(0.3))
    const target = join(work, 'partial')
    const { code, stdout } = await bkp(['restore', `latest:${source}`, '--from', broken, '--target', target, '--json'])
    expect(code).toBe(13)
    const result = JSON.parse(stdout) as { damaged: number; issues: { path: string }[] }
    expect(result.damaged).toBeGreaterThanOrEqual(1)
    const lost = new Set(result.issues.map(({ path }) => path))
    for (const name of readdirSync(join(source, 'folder'))) {
      const restored = join(target, 'folder', name)
      if (lost.has(`/folder/${name}`)) expect(existsSync(restored)).toBe(false)
      else expect(readFileSync(restored).equals(readFileSync(join(source, 'folder', name)))).toBe(true)
    }
    expect(lost.size).toBeLessThan(21)
  })

  it('with the descriptor or all keys broken refuses clearly', async () => {
    damage('bkp.json', (bytes) => Buffer.from(bytes.toString().replace('"created": "2', '"created": "3')))
    expect(await bkp(['snapshots', '--from', broken, '--json'])).toMatchObject({ code: 13 })
    damage('bkp.json', () => Buffer.from('{"magic":"bkp","format":2}'))
    const future = await bkp(['snapshots', '--from', broken])
    expect(future.code).toBe(1)
    expect(future.stderr).toContain('Upgrade bkp')
    rmSync(broken, { recursive: true, force: true })
    cpSync(pristine, broken, { recursive: true })
    for (const slot of objects(broken, 'keys')) writeFileSync(join(broken, slot), '{}')
    expect((await bkp(['snapshots', '--from', broken])).code).toBe(13)
  })
})
