import { BkpError, type SnapshotCopyResult } from '@bkp/core'
import { PortError } from '@bkp/plugin-api'
import { describe, expect, it } from 'vitest'
import { FakeEngine } from './testing/fake-engine.js'
import { runCommand } from './testing/run-command.js'
import { answers, issue, passphrase } from './testing/samples.js'

const backup = ['backup', '/', '--to', '/repo']
const restore = ['restore', 'latest', '--from', '/repo', '--target', '/tmp/x']
const check = ['check', '--from', '/repo']

async function codeOf(argv: readonly string[], change?: (engine: FakeEngine) => void): Promise<number> {
  const engine = new FakeEngine()
  change?.(engine)
  return (await runCommand(argv, { engine })).exitCode
}

describe('exit codes', () => {
  it('are 0 when all went well', async () => {
    for (const argv of [backup, restore, check, ['doctor']]) expect(await codeOf(argv)).toBe(0)
  })

  it('are 3 when a source could not be read, also when no single issue is listed', async () => {
    const { stats } = answers.backup
    expect(await codeOf(backup, (engine) => (engine.answers.backup = { ...answers.backup, issues: [issue] }))).toBe(3)
    const counted = { ...answers.backup, stats: { ...stats, errors: 1 } }
    expect(await codeOf(backup, (engine) => (engine.answers.backup = counted))).toBe(3)
  })

  it('are 3 when something was restored that is not as it was, and 13 when its data are damaged', async () => {
    const kept = { ...answers.restore, issues: [{ ...issue, kind: 'not-kept' as const }] }
    expect(await codeOf(restore, (engine) => (engine.answers.restore = kept))).toBe(3)
    expect(await codeOf(restore, (engine) => (engine.answers.restore = { ...kept, damaged: 1 }))).toBe(13)
  })

  it('are 13 when a check finds damage', async () => {
    const damages = [{ key: 'packs/aa/bb', message: 'is gone', affects: [] }]
    expect(await codeOf(check, (engine) => (engine.answers.check = { ...answers.check, damages }))).toBe(13)
  })

  it('are 13 when a snapshot to copy is damaged, 4 when a destination lags', async () => {
    const codeOfCopy = async (changes: Partial<SnapshotCopyResult>) => {
      const engine = new FakeEngine()
      engine.answers.copy = { ...answers.copy, ...changes }
      const env = { BKP_PASSWORD: passphrase, BKP_TO_PASSWORD: passphrase }
      return (await runCommand(['copy', '--from', '/repo', '--to', '/other'], { engine, env })).exitCode
    }
    const lagging = answers.copy.destinations.map((outcome) => ({ ...outcome, state: 'lagging' as const }))
    const broken = [{ key: 'snapshots/ab', message: 'is gone' }]
    expect(await codeOfCopy({})).toBe(0)
    expect(await codeOfCopy({ destinations: lagging })).toBe(4)
    expect(await codeOfCopy({ broken, destinations: lagging })).toBe(13)
  })

  it('are 1 when doctor finds an error, not for a warning', async () => {
    const findings = [{ level: 'error' as const, subject: 'node', message: 'is old' }]
    expect(await codeOf(['doctor'], (engine) => (engine.answers.findings = findings))).toBe(1)
  })

  it('are 1 when doctor cannot open the repository that it was given', async () => {
    const ran = await runCommand(['doctor', '--from', '/repo'], { env: { BKP_PASSWORD: 'wrong' } })
    expect(ran.exitCode).toBe(1)
    expect(ran.stdout).toMatch(/error\s+repository \/repo/)
  })

  it.each([
    ['no-repository', 10],
    ['repository-exists', 11],
    ['wrong-passphrase', 12],
    ['damaged', 13],
    ['usage', 2],
    ['interrupted', 130],
    ['not-found', 1],
    ['storage', 1],
    ['internal', 1],
  ] as const)('say %s by %i', async (code, exitCode) => {
    const fail = (engine: FakeEngine) => (engine.failures.openRepository = new BkpError(code, 'It went wrong'))
    expect(await codeOf(['snapshots', '--from', '/repo'], fail)).toBe(exitCode)
  })

  it('take corrupt data of a plugin for damage, and a failing disk for a failure', async () => {
    const stats = ['stats', '--from', '/repo']
    expect(await codeOf(stats, (engine) => (engine.failures.stats = new PortError('corrupt', 'Bad tag')))).toBe(13)
    expect(await codeOf(stats, (engine) => (engine.failures.stats = new PortError('transient', 'Disk')))).toBe(1)
  })

  it.each([
    [['backup', '/', '--to', '/repo', '--frobnicate']],
    [['backup', '/']],
    [['backup', '/', '-', '--to', '/repo']],
    [['backup', '/', '--from-command', 'ls', '--to', '/repo']],
    [['backup', '-', '--stdin-name', 'a/b', '--to', '/repo']],
    [['backup', '/', '--to', '/repo', '--exclude-larger-than', 'big']],
    [['backup', '/', '--to', '/repo', '--exclude-file', '/nowhere']],
    [['backup', '/', '--to', '/repo', '--compression', 'none', '--compression-level', '3']],
    [['backup', '/', '--to', 'sftp://ann:secret@host/x']],
    [['restore', 'latest', '--from', '/repo']],
    [['restore', 'latest:relative', '--from', '/repo', '--target', '/tmp/x']],
    [['check', '--from', '/repo', '--read-data=0%']],
    [['check', '--from', '/repo', '--read-data=101%']],
    [['dump', 'latest', '--from', '/repo']],
    [['ls', 'latest:/a', '/b', '--from', '/repo']],
    [['snapshots']],
    [['completion', 'tcsh']],
  ])('are 2 for %j, before anything is opened', async (argv) => {
    const ran = await runCommand(argv)
    expect(ran.exitCode).toBe(2)
    expect(ran.stderr).toMatch(/^Error: .+\n.+/)
    expect(ran.engine.calls.map(({ operation }) => operation)).not.toContain('backup')
  })

  it('are 1 when nothing of what should be backed up exists; one of several may be missing', async () => {
    expect(await codeOf(['backup', '/nowhere/at/all', '--to', '/repo'])).toBe(1)
    expect(await codeOf(['backup', '/nowhere/at/all', '/', '--to', '/repo'])).toBe(0)
  })

  it('are 130 when a signal comes in the middle, and everything is closed', async () => {
    const engine = new FakeEngine()
    const ran = await runCommand(backup, {
      engine,
      prepare: (terminal) => {
        engine.duringBackup = () => terminal.interrupt('SIGINT')
      },
    })
    expect(ran.exitCode).toBe(130)
    expect(ran.stderr).toContain('Interrupted by SIGINT')
    expect(engine.openCount).toBe(0)
    expect(engine.calls.at(-1)?.operation).toBe('close')
    expect(ran.terminal.isListening).toBe(false)
  })

  it('are 0 when the reader of a list goes away, and keep what a result says', async () => {
    const closeAfter = (writes: number) => ({
      prepare: ({ stdout }: { stdout: { writesUntilClosed: number } }) => {
        stdout.writesUntilClosed = writes
      },
    })
    const listed = await runCommand(['ls', 'latest', '--from', '/repo'], closeAfter(1))
    expect(listed).toMatchObject({ exitCode: 0, stderr: '' })
    const engine = new FakeEngine()
    engine.answers.backup = { ...answers.backup, issues: [issue] }
    expect((await runCommand(backup, { engine, ...closeAfter(0) })).exitCode).toBe(3)
  })
})

describe('an open repository', () => {
  it('is asked for by an absolute place, and URLs are left alone', async () => {
    const env = { BKP_PASSWORD: passphrase, BKP_REPOSITORY: 'relative/place' }
    const opened = async (argv: readonly string[]) =>
      (await runCommand(argv, { env })).engine.calls.find(({ operation }) => operation === 'openRepository')?.options
    expect(await opened(['backup', '/'])).toMatchObject({ url: `${process.cwd()}/relative/place` })
    expect(await opened(['stats', '--from', 's3://bucket/prefix'])).toMatchObject({ url: 's3://bucket/prefix' })
  })
})
