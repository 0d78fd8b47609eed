import { BkpError, bkpErrorCodes } from '@bkp/core'
import { PortError, portErrorCodes } from '@bkp/plugin-api'
import { describe, expect, it } from 'vitest'
import { FakeEngine } from './testing/fake-engine.js'
import { runCommand } from './testing/run-command.js'
import { answers, issue, latin1Path, passphrase } from './testing/samples.js'
import { violations } from './testing/schemas.js'

const env = { BKP_PASSWORD: passphrase, BKP_TO_PASSWORD: passphrase }
const at = ['--from', '/repo', '--json']

function engineWithIssues(): FakeEngine {
  const engine = new FakeEngine()
  engine.answers.backup = { ...answers.backup, issues: [issue], stats: { ...answers.backup.stats, errors: 1 } }
  engine.answers.restore = { ...answers.restore, issues: [issue] }
  engine.answers.check = {
    ...answers.check,
    damages: [{ key: 'packs/ab/cd', message: 'is gone', affects: [latin1Path] }],
  }
  const faults = [{ path: latin1Path, message: 'is gone' }]
  engine.answers.copy = {
    ...answers.copy,
    snapshots: answers.copy.snapshots.map((copy) => ({ ...copy, state: 'damaged', faults })),
    broken: [{ key: 'snapshots/ab', message: 'is gone' }],
  }
  return engine
}

describe('JSON output', () => {
  it.each([
    ['init', ['init', '--to', '/repo', '--json']],
    ['backup', ['backup', '/', '--to', '/repo', '--json']],
    ['restore', ['restore', 'latest', '--target', '/tmp/x', ...at]],
    ['check', ['check', '--read-data', ...at]],
    ['sync', ['sync', '--from', '/repo', '--to', '/other', '--json']],
    ['migrate', ['migrate', '--from', '/repo', '--to', '/other', '--yes', '--json']],
    ['destinations-test', ['destinations:test', '--to', '/repo', '--json']],
    ['destinations-status', ['destinations:status', ...at]],
    ['copy', ['copy', '--to', '/other', ...at]],
    ['snapshots', ['snapshots', ...at]],
    ['ls', ['ls', 'latest', ...at]],
    ['find', ['find', '*', ...at]],
    ['diff', ['diff', '9988', '1a2b', ...at]],
    ['stats', ['stats', ...at]],
    ['doctor', ['doctor', '--json']],
    ['completion', ['completion', 'bash', '--json']],
  ])('of %s fits its published schema', async (name, argv) => {
    for (const engine of [new FakeEngine(), engineWithIssues()]) {
      const documents = (await runCommand(argv, { engine, env })).json()
      expect(documents.length).toBeGreaterThan(0)
      for (const document of documents) expect(violations(`${name}.json`, document)).toEqual([])
    }
  })

  it('of a dry run has no snapshot', async () => {
    const engine = new FakeEngine()
    const { snapshotId: _, ...rest } = answers.backup
    engine.answers.backup = rest
    const [document] = (await runCommand(['backup', '/', '--to', '/repo', '--dry-run', '--json'], { engine })).json()
    expect(violations('backup.json', document)).toEqual([])
    expect(document).toMatchObject({ snapshot: null })
  })

  it('keeps the exact bytes of a path that is not UTF-8, and only of such', async () => {
    const [letter, link] = (await runCommand(['ls', 'latest', ...at])).json()
    expect(letter).toMatchObject({ path: '/home/ann/letter.txt', mtime: '2026-11-23T21:12:05.465283316Z' })
    expect(letter).not.toHaveProperty('pathBase64')
    expect(Buffer.from(String(link?.pathBase64), 'base64')).toEqual(Buffer.from(latin1Path.bytes))
  })

  it('has progress as lines before the document, when both are asked for', async () => {
    const engine = new FakeEngine()
    engine.duringBackup = ({ onEvent }) => {
      onEvent?.({ kind: 'planned', totalFiles: 9, totalBytes: 900 })
      onEvent?.({ kind: 'progress', filesDone: 1, bytesDone: 100, storedBytes: 0, errors: 0, current: '/a' })
    }
    const ran = await runCommand(['backup', '/', '--to', '/repo', '--json', '--progress'], { engine })
    const [progress, document] = ran.json()
    expect(progress).toMatchObject({ type: 'progress', filesDone: 1, totalFiles: 9, current: '/a' })
    expect(violations('progress.json', progress)).toEqual([])
    expect(violations('backup.json', document)).toEqual([])
    expect((await runCommand(['backup', '/', '--to', '/repo', '--json'], { engine })).json()).toHaveLength(1)
  })

  it('of every error of core and of ports fits the schema of errors', async () => {
    const errors = [
      ...bkpErrorCodes.map((code) => new BkpError(code, 'It went wrong')),
      ...portErrorCodes.map((code) => new PortError(code, 'It went wrong')),
      new TypeError('undefined is not a function'),
      Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', syscall: 'write' }),
    ]
    for (const error of errors) {
      const engine = new FakeEngine()
      engine.failures.snapshots = error
      const ran = await runCommand(['snapshots', ...at], { engine })
      expect(violations('error.json', ran.json()[0])).toEqual([])
      expect(ran.json()).toMatchObject([{ error: { message: error.message, exitCode: ran.exitCode } }])
    }
  })

  it('of dump leaves standard output to the file', async () => {
    const engine = new FakeEngine()
    engine.failures.dump = new BkpError('not-found', 'There is no such file')
    const ran = await runCommand(['dump', 'latest:/x', ...at], { engine })
    expect(ran.stdout).toBe('')
    expect(violations('error.json', JSON.parse(ran.stderr))).toEqual([])
  })

  it('is told from the text after "--"', async () => {
    const ran = await runCommand(['ls', '--from', '/repo', 'zzzz', '--', '--json'])
    expect(ran.stderr).toContain('Error:')
    expect(ran.stdout).toBe('')
  })
})
