import { describe, expect, it } from 'vitest'
import type { ConfigProblem } from './config-error.js'
import { redactedConfig } from './edit.js'
import { parseConfig } from './parse.js'

describe('notifiers', () => {
  const mail = {
    id: 'mail',
    displayName: 'Mail',
    schema: {
      type: 'object',
      properties: { to: { type: 'string' }, key: { type: 'string', 'x-bkp-secret': true } },
      additionalProperties: false,
    },
  }
  const problemsIn = async (text: string) => {
    const parsed = await parseConfig(text, [], 'c.yaml', [mail]).catch((reason: unknown) => reason)
    const { problems, warnings } = parsed as { problems?: ConfigProblem[]; warnings?: ConfigProblem[] }
    return (problems ?? warnings ?? []).map(({ level, line, path, message }) => `${level} ${line} ${path} ${message}`)
  }

  it('are told of what needs people, unless they say otherwise', async () => {
    const text =
      'version: 1\nnotifiers:\n  a: { use: mail }\n  b: { use: mail, on: [started], patience: { callSeconds: 5 } }\n'
    const { config } = await parseConfig(text, [], 'c.yaml', [mail])
    expect(config.notifiers).toEqual({
      a: { use: 'mail', options: {}, on: ['degraded', 'failed'] },
      b: { use: 'mail', options: {}, on: ['started'], patience: { callSeconds: 5 } },
    })
  })

  it.each([
    ['  a: { use: mail, options: { too: x } }', 'error 3 notifiers.a.options.too is not known; did you mean "to"?'],
    [
      '  a: { use: mail, on: [sometimes] }',
      'error 3 notifiers.a.on.0 must be one of started, finished, degraded, failed',
    ],
    ['  a: { options: {} }', 'error 3 notifiers.a.use is missing'],
    ['  a: { use: pigeon }', 'warning 3 notifiers.a.use names a notifier that no plugin here has; there are mail'],
    [
      '  a:\n    use: mail\n    options:\n      key: env:1x',
      'error 6 notifiers.a.options.key env: wants the name of a variable',
    ],
    [
      '  a: { use: mail }\njobs:\n  j: { paths: [/x], notify: [b] }',
      'error 5 jobs.j.notify.0 is not known; known are a',
    ],
  ])('are checked: %s', async (text, problem) => {
    expect(await problemsIn(`version: 1\nnotifiers:\n${text}\n`)).toEqual([problem])
  })

  it('have secrets, which are hidden as those of storages are', async () => {
    const text =
      'version: 1\nnotifiers:\n  a: { use: mail, options: { to: ann, key: hidden-key } }\n  b: { use: other, options: { x: unknown } }\n'
    const shown = redactedConfig(text, [], [mail])
    expect(shown).toContain('to: ann')
    expect(shown).not.toMatch(/hidden-key|unknown/)
    expect(await problemsIn(text)).toContainEqual(
      expect.stringContaining('warning 3 notifiers.a.options.key is a secret'),
    )
  })
})
