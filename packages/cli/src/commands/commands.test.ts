import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { BkpError } from '@bkp/core'
import { afterAll, describe, expect, it } from 'vitest'
import { FakeEngine } from '../testing/fake-engine.js'
import { type RunCommandOptions, runCommand } from '../testing/run-command.js'
import { answers, issue, passphrase, rawPath, snapshot, snapshotId } from '../testing/samples.js'

const work = mkdtempSync(join(tmpdir(), 'bkp-commands-'))
afterAll(() => rmSync(work, { recursive: true }))

async function optionsOf(operation: string, argv: readonly string[], options: RunCommandOptions = {}) {
  const ran = await runCommand(argv, options)
  expect(ran.stderr).not.toContain('Error')
  return ran.engine.calls.find((call) => call.operation === operation)?.options
}

const text = (bytes: unknown) => Buffer.from(bytes as Uint8Array).toString()

describe('an error', () => {
  it('holds nothing that plugins were given as secrets, in its message, its trace or its causes', async () => {
    const engine = new FakeEngine()
    engine.secret = 'tok-en-secret'
    const cause = new Error('refused: Bearer tok-en-secret')
    engine.failures.openRepository = new BkpError('storage', '401 for tok-en-secret', { cause })
    const env = { BKP_PASSWORD: passphrase, DEBUG: 'bkp:*' }
    for (const json of [[], ['--json']]) {
      const { stdout, stderr } = await runCommand(['snapshots', '--from', '/repo', ...json], { engine, env })
      expect(stdout + stderr).toContain('401 for [secret]')
      expect(stderr).toContain('caused by Error: refused: Bearer [secret]')
      expect(stdout + stderr).not.toContain('tok-en-secret')
    }
  })
})

describe('backup', () => {
  const to = ['--to', '/repo']

  it('hands on absolute paths, each once, and the defaults', async () => {
    const options = (await optionsOf('backup', ['backup', '.', work, `${work}/`, ...to])) as { paths: Uint8Array[] }
    expect(options.paths.map(text)).toEqual([process.cwd(), work])
    expect(options).toMatchObject({
      source: { id: 'fs', configuration: {} },
      excludes: [],
      hostname: hostname(),
      compression: { id: 'zstd', configuration: {} },
      cipher: 'aes-256-gcm',
      force: false,
      dryRun: false,
    })
  })

  it('gathers patterns from flags and files, without comments and blank lines', async () => {
    const file = join(work, 'excludes')
    writeFileSync(file, '# caches\r\n*.tmp\r\n\r\n  \n\\#kept\n')
    const argv = ['backup', '/', '--exclude', 'a', '--exclude', 'b', '--exclude-file', file, ...to]
    expect(await optionsOf('backup', argv)).toMatchObject({ excludes: ['a', 'b', '*.tmp', '\\#kept'] })
  })

  it('takes standard input and programs as one file', async () => {
    const stdin = (await optionsOf('backup', ['backup', '-', '--stdin-name', 'x.tar', ...to])) as {
      paths: Uint8Array[]
    }
    expect(stdin).toMatchObject({ source: { id: 'stdin', configuration: { name: 'x.tar' } } })
    expect(stdin.paths.map(text)).toEqual(['/x.tar'])
    expect(await optionsOf('backup', ['backup', '--from-command', 'pg_dump db', ...to])).toMatchObject({
      source: { id: 'command', configuration: { command: 'pg_dump db', name: 'output' } },
    })
  })

  it('uses what compression there is, and says so when it is not the usual one', async () => {
    const engine = new FakeEngine()
    engine.answers.compression = 'deflate'
    const ran = await runCommand(['backup', '/', ...to], { engine })
    expect(ran.engine.calls.find(({ operation }) => operation === 'backup')).toMatchObject({
      options: { compression: { id: 'deflate' } },
    })
    expect(ran.stderr).toContain('zstd does not work here')
  })

  it('tells what changed, what was stored, and what to type next', async () => {
    const { stdout } = await runCommand(['backup', '/', ...to])
    expect(stdout).toMatchInlineSnapshot(`
      "3 files: 1 new, 1 changed, 1 unchanged; 2 folders, 1 other
      4.88 KiB in all, 2.93 KiB new, 2 KiB stored, in 1.2 s
      Snapshot 1a2b3c4d
      Next: bkp restore 1a2b3c4d --from /repo --target FOLDER
      "
    `)
  })

  it('compares with the snapshot that is named', async () => {
    expect(await optionsOf('backup', ['backup', '/', '--parent', '1a2b', ...to])).toMatchObject({ parent: snapshotId })
  })
})

describe('restore', () => {
  it('hands on what is wanted', async () => {
    const flags = [
      '--include',
      '*.jpg',
      '--exclude',
      'x',
      '--overwrite',
      'if-changed',
      '--delete',
      '--verify',
      '--dry-run',
    ]
    const argv = ['restore', 'latest:/home/ann', '--from', '/repo', '--target', 'here', ...flags]
    const options = (await optionsOf('restore', argv)) as { path: Uint8Array }
    expect(text(options.path)).toBe('/home/ann')
    expect(options).toMatchObject({
      snapshotId,
      target: join(process.cwd(), 'here'),
      include: ['*.jpg'],
      exclude: ['x'],
      overwrite: 'if-changed',
      delete: true,
      verify: true,
      dryRun: true,
    })
  })

  it('names every issue', async () => {
    const engine = new FakeEngine()
    engine.answers.restore = { ...answers.restore, issues: [{ ...issue, kind: 'not-kept' }] }
    const ran = await runCommand(['restore', 'latest', '--from', '/repo', '--target', '/tmp/x'], { engine })
    expect(ran.stderr).toContain('not-kept: /home/ann/caf\ufffd: EACCES: permission denied\n')
    expect(ran.stdout).toContain('1 issue')
  })
})

describe('a command that is a hint', () => {
  const engine = new FakeEngine()
  engine.answers.restore = { ...answers.restore, damaged: 1 }
  engine.failures.list = new BkpError('damaged', 'a directory could not be read', { hint: 'See: bkp check' })

  it.each([
    [
      ['restore', 'latest', '--from', '/my disk/repo', '--target', '/tmp/x'],
      "bkp check --from '/my disk/repo' --read-data\n",
    ],
    [['ls', 'latest', '--from', '/a', '--from', '/b'], 'bkp check --from /a --from /b\n'],
    [['ls', 'ffff', '--from', '/repo'], 'bkp ls SNAP, bkp snapshots --from /repo\n'],
  ])('of %j names the place as it was named', async (argv, hint) => {
    const { stdout, stderr } = await runCommand(argv, { engine })
    expect(stdout + stderr).toContain(hint)
  })
})

describe('copy', () => {
  const copy = ['copy', '--from', '/repo', '--to', '/other']
  const env = { BKP_PASSWORD: passphrase, BKP_TO_PASSWORD: passphrase }

  it('hands on the target, what is meant, and how it is sealed', async () => {
    const flags = [
      '--cipher',
      'xchacha20-poly1305',
      '--compression',
      'deflate',
      '--compression-level',
      '9',
      '--dry-run',
    ]
    expect(await optionsOf('copyTo', [...copy, 'latest', ...flags], { env })).toMatchObject({
      target: '/other',
      snapshots: [snapshotId],
      compression: { id: 'deflate', configuration: { level: 9 } },
      cipher: 'xchacha20-poly1305',
      dryRun: true,
    })
  })

  it('means all snapshots, unless a filter is given', async () => {
    expect(await optionsOf('copyTo', copy, { env })).not.toHaveProperty('snapshots')
    const filtered = await optionsOf('copyTo', [...copy, '--host', 'nas'], { env })
    expect(filtered).toMatchObject({ snapshots: answers.snapshots.map(({ id }) => id) })
    const argv = [...copy, 'latest', '--tag', 'weekly', '--path', '/home']
    expect(await optionsOf('resolveSnapshot', argv, { env })).toEqual({
      reference: 'latest',
      filter: { tag: 'weekly', paths: ['/home'] },
    })
  })

  it('tells what was copied, and what was there already', async () => {
    const { stdout } = await runCommand(copy, { env })
    expect(stdout.replace(/ {2}\S+ \S+ {2}nas/, '  TIME  nas')).toMatchInlineSnapshot(`
      "1a2b3c4d  TIME  nas  as 11223344
      1 snapshot copied, 1 there already
      12 blobs (4.88 KiB) read, 2.93 KiB new, 2 KiB stored, in 1.2 s
      "
    `)
  })

  it('names what is damaged', async () => {
    const engine = new FakeEngine()
    const faults = [{ path: rawPath('/home/ann/x\u001b'), message: 'packs/ab/cd: is gone' }]
    const [, copied] = answers.copy.snapshots
    if (copied === undefined) throw new Error('The sample has two snapshots')
    engine.answers.copy = { ...answers.copy, snapshots: [{ ...copied, state: 'damaged', faults }] }
    const { stdout, exitCode } = await runCommand(copy, { engine, env })
    expect(exitCode).toBe(13)
    expect(stdout).toContain('/home/ann/x\\x1b: packs/ab/cd: is gone')
    expect(stdout).toContain('0 snapshots copied, 1 damaged and left out')
  })

  it('asks for both passphrases before it opens anything', async () => {
    const ran = await runCommand(copy, { env: {}, answers: [passphrase, passphrase] })
    expect(ran.questions).toEqual(['Passphrase:', 'Passphrase of the target:'])
    expect(ran.exitCode).toBe(0)
  })
})

describe('other commands', () => {
  const from = ['--from', '/repo']

  it('check reads the share of the data that is asked for', async () => {
    const shareOf = async (...flags: string[]) => optionsOf('check', ['check', ...from, ...flags])
    expect(await shareOf()).toMatchObject({ readDataShare: 0 })
    expect(await shareOf('--read-data')).toMatchObject({ readDataShare: 1 })
    expect(await shareOf('--read-data=10%')).toMatchObject({ readDataShare: 0.1 })
    expect(await shareOf('--read-data', '25%')).toMatchObject({ readDataShare: 0.25 })
  })

  it('check calls packs that no snapshot needs harmless only where nothing is damaged', async () => {
    const engine = new FakeEngine()
    engine.answers.check = { ...answers.check, unreferencedPacks: 2 }
    const harmless = '2 packs in no snapshot: leftovers of interrupted backups, or of one that runs; harmless'
    expect((await runCommand(['check', ...from], { engine })).stdout).toContain(harmless)
    const damages = [{ key: 'index/a', message: 'it is gone', affects: [] }]
    engine.answers.check = { ...engine.answers.check, damages }
    const { stdout } = await runCommand(['check', ...from], { engine })
    expect(stdout).toContain(
      '2 packs in no snapshot that could be read: they may hold what is missing, and must not be',
    )
    expect(stdout).not.toContain('harmless')
  })

  it('dump writes the bytes and nothing else', async () => {
    const { terminal } = await runCommand(['dump', 'latest:/x', ...from])
    expect([...terminal.stdout.bytes]).toEqual([0, 255, 10, 13, 10])
  })

  it('ls, dump and restore find "latest" among the snapshots that are meant', async () => {
    const meant = { reference: 'latest', filter: { hostname: 'nas', tag: 'weekly' } }
    const flags = [...from, '--host', 'nas', '--tag', 'weekly']
    for (const argv of [
      ['ls', 'latest'],
      ['dump', 'latest:/x'],
      ['restore', 'latest', '--target', '/tmp/x'],
    ]) {
      expect(await optionsOf('resolveSnapshot', [...argv, ...flags])).toEqual(meant)
    }
  })

  it('show names from a repository without their control characters', async () => {
    const engine = new FakeEngine()
    const evil = rawPath('/a\u001b]0;owned\u0007b')
    engine.answers.snapshots = [{ ...snapshot, hostname: 'h\u001b[2J', tags: ['t\u001b'], paths: [evil] }]
    engine.answers.entries = answers.entries.map((entry) => ({ ...entry, path: evil, userName: 'u\u001b' }))
    engine.answers.differences = answers.differences.map((difference) => ({ ...difference, path: evil }))
    engine.answers.check = { ...answers.check, damages: [{ key: 'packs/a', message: 'x\u001b', affects: [evil] }] }
    for (const argv of [['snapshots'], ['ls', 'latest'], ['find', '*'], ['diff', 'latest', 'latest'], ['check']]) {
      const { stdout } = await runCommand([...argv, ...from], { engine })
      expect(stdout).toContain('\\x1b')
      expect(stdout).not.toContain('\u001b')
    }
  })

  it('ask for a passphrase only on a terminal, and never show what is typed', async () => {
    const ran = await runCommand(['stats', ...from], { env: {}, answers: [passphrase] })
    expect(ran.exitCode).toBe(0)
    expect(ran.stdout).toMatch(/Snapshots\s+2/)
    expect(ran.stdout + ran.stderr).not.toContain(passphrase)
  })
})
