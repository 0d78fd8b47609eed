import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BkpError, type NotifierTarget } from '@bkp/core'
import { isSecret, type Notification, PortError } from '@bkp/plugin-api'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FakeEngine } from '../testing/fake-engine.js'
import { type RunCommandOptions, runCommand } from '../testing/run-command.js'
import { answers, issue, passphrase } from '../testing/samples.js'
import { violations } from '../testing/schemas.js'

const config = `version: 1
repositories:
  home: { destinations: { disk: /repo } }
notifiers:
  mail: { use: post, options: { to: ann, token: env:MAIL_TOKEN } }
  log: { use: post, on: [started, finished] }
jobs:
  all: { paths: [/] }
  quiet: { paths: [/], notify: [] }
  one: { paths: [/], notify: [log] }
`
const env = { BKP_PASSWORD: passphrase, MAIL_TOKEN: 'tok-en-secret' }

let home: string
let file: string
let engine: FakeEngine

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'bkp-notify-'))
  mkdirSync(join(home, '.config/bkp'), { recursive: true })
  file = join(home, '.config/bkp/config.yaml')
  writeFileSync(file, config)
  chmodSync(file, 0o600)
  engine = new FakeEngine()
})
afterEach(() => rmSync(home, { recursive: true }))

const run = (argv: readonly string[], options: RunCommandOptions = {}) =>
  runCommand(argv, { engine, env, home, ...options })

function told(): readonly Notification[] {
  return engine.calls
    .filter(({ operation }) => operation === 'tell')
    .map(({ options }) => (options as { notification: Notification }).notification)
}

function targets(): readonly NotifierTarget[] {
  return engine.calls
    .filter(({ operation }) => operation === 'notifiers')
    .flatMap(({ options }) => options as readonly NotifierTarget[])
}

describe('a run that uses the configuration', () => {
  it('tells all notifiers how it began and ended, with the document of --json', async () => {
    const ran = await run(['backup', 'all', '--json'])
    expect(told()).toMatchObject([
      { kind: 'started', command: 'backup', job: 'all' },
      { kind: 'finished', command: 'backup', job: 'all', exitCode: 0, report: ran.json()[0] },
    ])
    expect(told()[0]).not.toHaveProperty('report')
    expect(targets()).toMatchObject([
      { name: 'mail', use: 'post', on: ['degraded', 'failed'] },
      { name: 'log', on: ['started', 'finished'] },
    ])
    expect(engine.calls.slice(-2).map(({ operation }) => operation)).toEqual(['closeNotifiers', 'close'])
  })

  it('gives secrets as such', async () => {
    await run(['backup', 'all'])
    const [mail] = targets()
    expect(isSecret(mail?.options.token) && mail.options.token.reveal()).toBe('tok-en-secret')
    expect(mail?.options.to).toBe('ann')
    expect(JSON.stringify(told())).not.toContain('tok-en-secret')
  })

  it.each([
    ['quiet', []],
    ['one', ['log']],
  ])('tells those that the job %s names', async (job, names) => {
    await run(['backup', job])
    expect(targets().map(({ name }) => name)).toEqual(names)
  })

  it('is degraded where some of it could not be read, and says what', async () => {
    engine.answers.backup = { ...answers.backup, issues: [issue], stats: { ...answers.backup.stats, errors: 1 } }
    const ran = await run(['backup', 'all'])
    expect(ran.exitCode).toBe(3)
    expect(told()[1]).toMatchObject({ kind: 'degraded', exitCode: 3 })
    expect(told()[1]?.summary).toContain(`${issue.path.text}: ${issue.message}`)
  })

  it.each([
    ['wrong passphrase', { BKP_PASSWORD: 'not it' }, 12, 'wrong-passphrase'],
    ['no passphrase', {}, 2, 'usage'],
  ])('has failed when it never began: %s', async (_, given, code, error) => {
    const ran = await run(['backup', 'all'], { env: { MAIL_TOKEN: 'tok-en-secret', ...given } })
    expect(ran.exitCode).toBe(code)
    const last = told().at(-1)
    expect(last).toMatchObject({ kind: 'failed', exitCode: code, report: { error: { code: error } } })
    expect(violations('error.json', last?.report)).toEqual([])
  })

  it('has failed when nothing of the command line could be used but the configuration', async () => {
    await run(['backup', '/nonexistent/path', '--to', 'home', '--config', file])
    expect(told()).toMatchObject([{ kind: 'failed', exitCode: 1 }])
  })

  it('has failed when it was interrupted, and nobody waits long to tell it', async () => {
    await run(['backup', 'all'], {
      prepare: (terminal) => {
        engine.duringBackup = () => terminal.interrupt('SIGINT')
      },
    })
    const last = engine.calls.filter(({ operation }) => operation === 'tell').at(-1)
    expect(last?.options).toMatchObject({
      notification: { kind: 'failed', exitCode: 130 },
      options: { patience: 'none' },
    })
  })

  it.each([
    ['check', ['check', '--from', 'home'], 'finished'],
    ['sync', ['sync', '--from', 'home', '--to', '/other'], 'finished'],
    ['restore', ['restore', 'latest', '--from', 'home', '--target', '/tmp/x'], 'finished'],
    ['migrate', ['migrate', '--from', 'home', '--to', '/other', '--yes'], 'finished'],
  ])('may be a %s', async (command, argv, kind) => {
    await run(argv)
    expect(told().at(-1)).toMatchObject({ command, kind, report: { version: 1 } })
  })
})

describe('nobody is told', () => {
  it.each([
    ['of a run that has nothing to do with the configuration', ['backup', '/', '--to', '/repo']],
    ['of what only looks', ['snapshots', '--from', 'home']],
    ['of a dry run', ['backup', 'all', '--dry-run']],
    ['of help', ['backup', '--help']],
  ])('%s', async (_, argv) => {
    await run(argv).catch((error: { oclif?: { exit?: number } }) => expect(error.oclif?.exit).toBe(0))
    expect(told()).toEqual([])
  })
})

describe('what goes wrong with notifiers', () => {
  it('is a warning, and changes neither output nor exit code', async () => {
    engine.failures.notifiers = new BkpError('plugin-failed', 'it is broken')
    const ran = await run(['backup', 'all', '--json'])
    expect(ran.exitCode).toBe(0)
    expect(violations('backup.json', ran.json()[0])).toEqual([])
    expect(ran.stderr).toContain('Nobody is told of this run: it is broken')
  })

  it('leaves out one whose secret cannot be fetched', async () => {
    const ran = await run(['backup', 'all'], { env: { BKP_PASSWORD: passphrase } })
    expect(ran.exitCode).toBe(0)
    expect(ran.stderr).toContain(
      'The notifier mail is not told of this run: option token of the notifier mail comes from',
    )
    expect(targets().map(({ name }) => name)).toEqual(['log'])
  })

  it('does not hide what went wrong with the run', async () => {
    engine.failures.backup = new PortError('quota', 'the disk is full')
    engine.failures.tell = new Error('and this as well')
    const ran = await run(['backup', 'all'])
    expect(ran).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('the disk is full') })
  })
})

describe('notifiers test', () => {
  it('sends each the gravest kind that it wants, and says what became of it', async () => {
    const ran = await run(['notifiers:test', '--json'])
    expect(violations('notifiers-test.json', ran.json()[0])).toEqual([])
    expect(told().map(({ kind }) => kind)).toEqual(['failed', 'finished'])
    expect(told()[0]?.summary).toContain('This is a test of the notifier mail')
    expect(ran.exitCode).toBe(0)
  })

  it('ends with 1 where one was not told', async () => {
    engine.answers.delivery = { state: 'failed', message: 'nobody is there', hint: 'Look' }
    const ran = await run(['notifiers:test', 'mail', '--kind', 'degraded', '--json'])
    expect(ran.exitCode).toBe(1)
    expect(violations('notifiers-test.json', ran.json()[0])).toEqual([])
    expect(ran.json()).toMatchObject([{ notifiers: [{ name: 'mail', kind: 'degraded', message: 'nobody is there' }] }])
  })

  it('says which there are when one is not', async () => {
    const ran = await run(['notifiers:test', 'mial'])
    expect(ran.exitCode).toBe(2)
    expect(ran.stderr).toContain('did you mean "mail"?')
  })
})
