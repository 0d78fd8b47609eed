import { BkpError, bkpErrorCodes } from '@bkp/core'
import { PortError, portErrorCodes } from '@bkp/plugin-api'
import { Errors } from '@oclif/core'
import { describe, expect, it } from 'vitest'
import { CliError, UsageError } from './cli-error.js'
import { describeError } from './describe-error.js'

// Core handles these itself; they mean nothing to a user who sees them.
const internalToPorts = new Set(['already-exists', 'range-invalid'])

describe('a described error', () => {
  it('says what to do, whatever the code, and prefers the hint of whoever made it', () => {
    for (const code of bkpErrorCodes.filter((name) => name !== 'interrupted')) {
      expect(describeError(new BkpError(code, 'x'), 'ls').hint).toBeTypeOf('string')
      expect(describeError(new BkpError(code, 'x', { hint: 'do y' }), 'ls').hint).toBe('do y')
    }
    for (const code of portErrorCodes.filter((name) => !internalToPorts.has(name))) {
      expect(describeError(new PortError(code, 'x'), 'ls').hint).toBeTypeOf('string')
    }
  })

  it('is an interruption once a signal came, whatever broke because of it', () => {
    const broken = new PortError('transient', 'socket hang up')
    expect(describeError(broken, 'backup', 'SIGTERM')).toMatchObject({ code: 'interrupted', exitCode: 130 })
    const prompt = Object.assign(new Error('User force closed the prompt'), { name: 'ExitPromptError' })
    expect(describeError(prompt, 'init')).toMatchObject({ message: 'Interrupted at the question', exitCode: 130 })
  })

  it("has no words of oclif's frame", () => {
    const error = new Errors.CLIError(
      'The following error occurred:\n  Missing required flag from\nSee more help with --help',
    )
    expect(describeError(error, 'ls')).toMatchObject({ code: 'usage', message: '--from is missing', exitCode: 2 })
  })

  it('says where help is, as one types it', () => {
    const described = (message: string, command: string) => describeError(new Errors.CLIError(message), command)
    expect(described('command destinations:ad:x:/y not found', '')).toMatchObject({
      message: 'There is no command "destinations ad"',
      hint: 'See: bkp destinations --help',
    })
    expect(described('Nonexistent flag: --to', 'ls').hint).toBe('Here a place is named by --from; see: bkp ls --help')
    const note = 'Missing 1 required arg:\nurl  a URL\n\nNote: --set allows multiple values. Because of this you need …'
    expect(described(note, 'destinations:add')).toMatchObject({
      message: 'Missing 1 required arg:\nurl  a URL',
      hint: 'See: bkp destinations add --help',
    })
    const several =
      'Missing 1 required arg:\nsnapshot  SNAP\n\nNote: --from, --include allow multiple values. Because …'
    expect(described(several, 'restore').message).toBe('Missing 1 required arg:\nsnapshot  SNAP')
  })

  it('tells faults of ours from those of users', () => {
    expect(describeError(new UsageError('x'), 'ls')).toMatchObject({ code: 'usage', hint: 'See: bkp ls --help' })
    expect(describeError(new CliError('source-unreadable', 'x'), 'ls')).toMatchObject({ exitCode: 1 })
    const full = Object.assign(new Error('ENOSPC: write'), { code: 'ENOSPC', syscall: 'write' })
    expect(describeError(full, 'ls')).toMatchObject({ code: 'failure', exitCode: 1 })
    for (const fault of [new TypeError('x is undefined'), 'a string', undefined]) {
      expect(describeError(fault, 'ls')).toMatchObject({ code: 'internal', exitCode: 1 })
    }
  })

  it('of commands name the place, where it is known', () => {
    const hintOf = (error: unknown, command = 'ls') =>
      describeError(error, command, undefined, '--from nas').hint?.replace(/^.*: /, '')
    const hinting = (hint: string) => new BkpError('not-found', 'x', { hint })
    expect(hintOf(new BkpError('damaged', 'x'))).toBe('bkp check --read-data --from nas')
    expect(hintOf(new BkpError('damaged', 'x'), 'check')).toBe('bkp check --from nas --from SOUND-URL --heal')
    expect(hintOf(new BkpError('not-found', 'x'))).toBe('bkp ls SNAP, bkp snapshots --from nas')
    expect(hintOf(hinting('List the snapshots: bkp snapshots'))).toBe('bkp snapshots --from nas')
    expect(hintOf(hinting('See what is damaged: bkp check'))).toBe('bkp check --from nas')
    expect(hintOf(hinting('See what it has: bkp ls 1a2b3c4d'))).toBe('bkp ls 1a2b3c4d --from nas')
    expect(hintOf(new BkpError('no-repository', 'x'))).toBe('bkp init --to URL')
    expect(describeError(new BkpError('damaged', 'x'), 'ls').hint).toContain('--from URL')
  })

  it('of damage that ends a check says how it is healed, and not to check', () => {
    expect(describeError(new BkpError('damaged', 'x'), 'check').hint).toContain('--heal')
    expect(describeError(new BkpError('damaged', 'x'), 'ls').hint).toContain('bkp check')
  })
})
