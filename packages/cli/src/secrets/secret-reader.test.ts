import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { FakeEngine } from '../testing/fake-engine.js'
import { type RunCommandOptions, runCommand } from '../testing/run-command.js'
import { passphrase, recoveryCode } from '../testing/samples.js'

const work = mkdtempSync(join(tmpdir(), 'bkp-secrets-'))
afterAll(() => rmSync(work, { recursive: true }))

function fileOf(name: string, content: string | Uint8Array): string {
  const path = join(work, name)
  writeFileSync(path, content)
  return path
}

const stats = ['stats', '--from', '/repo']
const run = (flags: readonly string[], options: RunCommandOptions = { env: {} }) =>
  runCommand([...stats, ...flags], options)

describe('the passphrase', () => {
  it('comes from the environment, a file, a program or a question', async () => {
    const path = fileOf('plain', `${passphrase}\r\n`)
    expect((await run([], { env: { BKP_PASSWORD: passphrase } })).exitCode).toBe(0)
    expect((await run(['--password-file', path])).exitCode).toBe(0)
    expect((await run(['--password-command', `cat ${path}`])).exitCode).toBe(0)
    expect(await run([], { env: {}, answers: [passphrase] })).toMatchObject({ exitCode: 0, questions: ['Passphrase:'] })
  })

  it('of a flag goes before that of the environment', async () => {
    const ran = await run(['--password-file', fileOf('other', 'wrong')], { env: { BKP_PASSWORD: passphrase } })
    expect(ran.exitCode).toBe(12)
  })

  it('is asked for twice when it is new, and must be the same', async () => {
    const init = ['init', '--to', '/repo']
    const same = await runCommand(init, { env: {}, answers: ['new', 'new'] })
    expect(same.questions).toHaveLength(2)
    expect(same.engine.calls[0]).toMatchObject({ options: { passphrase: 'new' } })
    const differ = await runCommand(init, { env: {}, answers: ['new', 'knew'] })
    expect(differ).toMatchObject({ exitCode: 2 })
    expect(differ.engine.calls).toEqual([])
  })

  it('without a terminal and without a source is a usage error that names the ways', async () => {
    const { exitCode, stderr } = await run([])
    expect(exitCode).toBe(2)
    for (const way of ['BKP_PASSWORD', '--password-file', '--password-command']) expect(stderr).toContain(way)
  })

  it.each([
    ['is empty', ''],
    ['is an empty line', '\n'],
    ['has several lines', 'one\ntwo\n'],
    ['is not UTF-8', Buffer.from([0x70, 0xff, 0xfe])],
    ['is huge', 'x'.repeat(100_000)],
  ])('of a file that %s is refused', async (name, content) => {
    expect((await run(['--password-file', fileOf(name, content)])).exitCode).toBe(2)
  })

  it('is refused when empty, wherever it comes from', async () => {
    expect((await run([], { env: { BKP_PASSWORD: '' } })).exitCode).toBe(2)
    expect((await run(['--password-command', 'true'])).exitCode).toBe(2)
    expect((await run([], { env: {}, answers: [''] })).exitCode).toBe(2)
  })

  it('of a program that fails is not used, and what the program printed is not shown', async () => {
    const ran = await run(['--password-command', `echo ${passphrase}; exit 7`])
    expect(ran.exitCode).toBe(2)
    expect(ran.stderr).toContain('exit code 7')
    expect(ran.stderr).not.toContain(passphrase)
  })

  it('is taken out of the environment, so that programs we start do not inherit it', async () => {
    const ran = await run([], { env: { BKP_PASSWORD: passphrase, BKP_RECOVERY_CODE: recoveryCode } })
    expect(ran.terminal.env).toEqual({})
  })
})

describe('the recovery code', () => {
  it('opens from the environment, a file or a question', async () => {
    const path = fileOf('code', `${recoveryCode}\n`)
    expect((await run([], { env: { BKP_RECOVERY_CODE: recoveryCode } })).exitCode).toBe(0)
    expect((await run(['--recovery-code-file', path])).exitCode).toBe(0)
    const env = { BKP_RECOVERY_CODE: recoveryCode, BKP_PASSWORD: 'wrong' }
    expect((await run(['--recovery-code'], { env })).exitCode).toBe(0)
    const asked = await run(['--recovery-code'], { env: {}, answers: [recoveryCode] })
    expect(asked).toMatchObject({ exitCode: 0, questions: ['Recovery code:'] })
  })

  it('has no value on the command line', async () => {
    expect((await run([`--recovery-code=${recoveryCode}`])).exitCode).toBe(2)
  })

  it('is printed by init, once', async () => {
    const { stdout, stderr } = await runCommand(['init', '--to', '/repo'])
    expect(stdout.split(recoveryCode)).toHaveLength(2)
    expect(stderr).toBe('')
  })
})

describe('no secret is printed', () => {
  const commands = [
    ['init', '--to', '/repo'],
    ['backup', '/', '--to', '/repo'],
    ['restore', 'latest', '--from', '/repo', '--target', '/tmp/x'],
    ...['check', 'snapshots', 'stats'].map((id) => [id, '--from', '/repo']),
    ['doctor', '--from', '/repo'],
  ]
  it.each(commands.map((argv) => [argv[0], argv] as const))(
    'by %s, neither in success nor in failure',
    async (_, argv) => {
      const operations = [
        'createRepository',
        'openRepository',
        'backup',
        'restore',
        'check',
        'snapshots',
        'stats',
        'doctor',
      ]
      for (const isFailing of [false, true]) {
        const engine = new FakeEngine()
        if (isFailing) for (const operation of operations) engine.failures[operation] = new TypeError('a fault')
        for (const json of [[], ['--json']]) {
          const env = { BKP_PASSWORD: passphrase, DEBUG: 'bkp:*' }
          const ran = await runCommand([...argv, ...json], { engine, env })
          expect(ran.stdout + ran.stderr).not.toContain(passphrase)
          expect(ran.exitCode).toBe(isFailing ? 1 : 0)
        }
      }
    },
  )
})

describe('the passphrase of the target', () => {
  const copy = ['copy', '--from', '/repo', '--to', '/other']
  const opened = ({ engine }: { engine: FakeEngine }) =>
    engine.calls.filter(({ operation }) => operation === 'openRepository').length

  it('comes from ways of its own, none of which gives that of the source', async () => {
    const path = fileOf('target', passphrase)
    const env = { BKP_PASSWORD: passphrase }
    for (const flags of [
      ['--to-password-file', path],
      ['--to-password-command', `cat ${path}`],
    ]) {
      const ran = await runCommand([...copy, ...flags], { env })
      expect([ran.exitCode, opened(ran)]).toEqual([0, 2])
    }
    const alone = await runCommand(copy, { env })
    expect([alone.exitCode, opened(alone)]).toEqual([2, 0])
    for (const way of ['BKP_TO_PASSWORD', '--to-password-file', '--to-password-command'])
      expect(alone.stderr).toContain(way)
    const other = await runCommand([...copy, '--to-password-file', path], { env: { BKP_TO_PASSWORD: passphrase } })
    expect(other.exitCode).toBe(2)
  })

  it('is taken out of the environment together with the others', async () => {
    const env = { BKP_PASSWORD: passphrase, BKP_TO_PASSWORD: passphrase }
    const { exitCode, terminal } = await runCommand(copy, { env })
    expect(exitCode).toBe(0)
    expect(terminal.env).toEqual({})
    // Also of a command that has no target.
    expect((await run([], { env })).terminal.env).toEqual({})
  })
})
