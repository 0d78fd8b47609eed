import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ForgedRepository, Forger } from '../../support/forged-repository.js'
import { type CheckReport, expectNoBreakdown, type RestoreReport, reportOf } from '../../support/outcomes.js'
import { bkp } from '../../support/run-bkp.js'

const work = mkdtempSync(join(tmpdir(), 'bkp-hostile-snapshots-'))
/** How deep the folders of the deep snapshot are nested; `BKP_DEPTH=1000000` takes a minute to write. */
const depth = Number(process.env.BKP_DEPTH ?? 20_000)
let forger: Forger

beforeAll(async () => {
  forger = await Forger.create(join(work, 'template'))
})
// Node's own rm cannot delete paths above PATH_MAX.
afterAll(() => execFileSync('rm', ['-rf', work]))

const from = ({ directory }: ForgedRepository) => ['--from', directory, '--json']

function restore(forged: ForgedRepository, ...more: string[]) {
  return bkp(['restore', 'latest', '--target', `${forged.directory}-target`, ...from(forged), ...more])
}

async function check(forged: ForgedRepository, ...more: string[]): Promise<CheckReport['damages']> {
  return reportOf<CheckReport>(await bkp(['check', ...from(forged), ...more]), 13).damages
}

/** All but line feeds, as code points. */
function controlCharacters(text: string): number[] {
  const codes = [...text].map((character) => character.codePointAt(0) as number)
  return codes.filter((code) => code !== 0x0a && (code < 0x20 || (code >= 0x7f && code < 0xa0)))
}

describe('a snapshot', () => {
  it('of a tree that is not there: is damage that names it', async () => {
    const forged = forger.repository(join(work, 'treeless'))
    const { snapshot } = forged.commit([Buffer.alloc(32, 0xab)])
    const { issues } = reportOf<RestoreReport>(await restore(forged), 13)
    expect(issues).toMatchObject([{ kind: 'damaged', message: expect.stringContaining('abababab') }])
    expect((await check(forged)).map(({ key }) => key)).toEqual([snapshot])
  })

  const payloads = {
    'of a million brackets': `{"version":1,"tree":${'['.repeat(1_000_000)}`,
    'of a million closed brackets': `{"version":1,"tree":${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}}`,
    'of a million objects': `{"version":1,"x":${'{"x":'.repeat(1_000_000)}1${'}'.repeat(1_000_000)}}`,
    'that is no JSON': '\u0000\u0001',
    'that is a list': '[]',
    'without a tree': '{"version":1}',
  }
  it.each(Object.entries(payloads))('%s: is named, and the others are restored', async (name, payload) => {
    const forged = forger.repository(join(work, `payload ${name}`))
    const key = forged.putSealed('snapshot', Buffer.from(payload))
    forged.commit([forged.file('sound', 'sound')])
    const [restored, damages] = await Promise.all([restore(forged), check(forged)])
    expect(reportOf<RestoreReport>(restored, 0).issues).toEqual([])
    expect(readFileSync(join(`${forged.directory}-target`, 'sound'), 'utf8')).toBe('sound')
    expect(damages.map((damage) => damage.key)).toEqual([key])
  })

  it('with control characters everywhere: never steers the terminal', async () => {
    const forged = forger.repository(join(work, 'terminal'))
    const evil = '\u001b]0;owned\u0007\u001b[2J\r\n\u009b31m'
    const path = { text: evil, base64: Buffer.from(evil).toString('base64') }
    forged.commit([{ ...forged.file(evil, 'x') }, { kind: 'symlink', name: `${evil}2`, linkTarget: evil }], {
      hostname: evil,
      username: evil,
      tags: [evil],
      paths: [path],
      issues: [{ path, kind: evil, message: evil }],
      stats: { files: 1e308, bytes: -1e308, errors: 1e300 },
    })
    for (const command of [['snapshots'], ['ls', 'latest', '-R'], ['stats'], ['find', '*'], ['check']]) {
      const ran = await bkp([...command, '--from', forged.directory])
      expectNoBreakdown(ran)
      expect(ran.code).toBe(0)
      expect(controlCharacters(ran.stdout + ran.stderr)).toEqual([])
    }
  })
})

describe('a snapshot whose cipher a storage changed', () => {
  it('is damage, and sends nobody to look for a plugin', async () => {
    const forged = forger.repository(join(work, 'cipher'))
    const { snapshot } = forged.commit([forged.file('sound', 'sound')])
    const bytes = readFileSync(join(forged.directory, snapshot))
    bytes.fill(0, 24, 56).write('evil-cipher', 24, 'ascii')
    const key = `snapshots/${createHash('sha256').update(bytes).digest('hex')}`
    writeFileSync(join(forged.directory, key), bytes)
    const [restored, damages] = await Promise.all([restore(forged), check(forged)])
    expect(reportOf<RestoreReport>(restored, 0).files).toBe(1)
    expect(damages.map((damage) => damage.key)).toEqual([key])
    expect(restored.stdout + restored.stderr + JSON.stringify(damages)).not.toContain('evil')
  })
})

describe('a snapshot that names plugins', () => {
  it('by what is no name of a package: puts nothing of it on the screen', async () => {
    const forged = forger.repository(join(work, 'plugins'))
    const sound = { port: 'compression', id: 'brotli', package: 'bkp-codec-x', version: '1.0.0' } as const
    const evil = ['--yes', '$(id)', 'x; rm -rf ~', '../x', 'https://evil.example/x.tgz', '\u001b[2J']
    const plugins = [...evil.map((name) => ({ ...sound, package: name })), sound]
    const { snapshot } = forged.commit([forged.file('sound', 'sound')], { plugins })
    const ran = await bkp(['snapshots', ...from(forged)])
    expect(reportOf<{ snapshots: unknown[] }>(ran, 0).snapshots).toMatchObject([{ plugins: [sound] }])
    expect(snapshot).toContain('snapshots/')
    // What is missing is asked of the same snapshot.
    const missing = await bkp(['backup', work, '--compression', 'brotli', '--to', forged.directory])
    expect(missing.stderr).toContain('bkp plugins:install bkp-codec-x@1.0.0')
    for (const name of evil) expect(missing.stderr).not.toContain(name)
  })
})

describe(`folders ${depth} deep`, () => {
  it('are refused below the deepest that is allowed, in bounded time', async () => {
    const forged = forger.repository(join(work, 'deep'))
    let inner = forged.tree([forged.file('bottom', 'bottom')])
    for (let level = 0; level < depth; level++) inner = forged.tree([{ kind: 'directory', name: 'd', tree: [inner] }])
    forged.commit([{ kind: 'directory', name: 'deep', tree: [inner] }, forged.file('sound', 'sound')])
    const started = performance.now()
    const [dry, damages] = await Promise.all([restore(forged, '--dry-run'), check(forged)])
    expect(damages).toMatchObject([{ message: expect.stringContaining('nested more than 16384 deep') }])
    expect(reportOf<RestoreReport>(dry, 13)).toMatchObject({
      files: 1,
      issues: [{ kind: 'damaged', message: expect.stringContaining('nested more than 16384 deep') }],
    })
    expect(performance.now() - started).toBeLessThan(60_000)
  })
})

describe('folders that double sixty times', () => {
  it('are checked once each', async () => {
    const forged = forger.repository(join(work, 'doubling'))
    let inner = forged.tree([forged.file('bottom', 'bottom')])
    for (let level = 0; level < 60; level++) {
      inner = forged.tree(['a', 'b'].map((name) => ({ kind: 'directory' as const, name, tree: [inner] })))
    }
    forged.commit([{ kind: 'directory', name: 'top', tree: [inner] }])
    const ran = await bkp(['check', '--read-data', ...from(forged)])
    expect(reportOf<CheckReport>(ran, 0).damages).toEqual([])
  })
})
