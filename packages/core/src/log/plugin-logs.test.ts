import { type Logger, Secret } from '@bkp/plugin-api'
import { beforeEach, describe, expect, it } from 'vitest'
import { PluginLogs } from './plugin-logs.js'

let people: string[]
let lines: string[]
const secrets = new Set<Secret>()
let logs: PluginLogs

beforeEach(() => {
  people = []
  lines = []
  secrets.clear()
  const log: Logger = {
    debug: (text) => people.push(`debug ${text}`),
    info: (text) => people.push(`info ${text}`),
    warn: (text) => people.push(`warn ${text}`),
  }
  logs = new PluginLogs(log, secrets, (packageName, level, line) => lines.push(`${packageName} ${level} ${line}`))
})

describe('what core and plugins log', () => {
  it('is told with whose it is, and with details only to those who look for faults', () => {
    logs.core.warn('retrying', { subject: 'packs/a' })
    logs.of('bkp-a').debug('connected', { port: 22 })
    expect(lines).toEqual(['undefined warn retrying {"subject":"packs/a"}', 'bkp-a debug connected {"port":22}'])
    expect(people).toEqual(['warn retrying', 'debug connected'])
  })

  it('holds no secrets, also of those that came to be known later, in messages or details', () => {
    const { debug } = logs.of('bkp-a')
    const secret = new Secret('pass"word\\ + more')
    secrets.add(secret)
    debug(`logged in with ${secret.reveal()}`)
    debug('asked', { url: `https://a/?t=${encodeURIComponent(secret.reveal())}`, in: [{ deep: secret.reveal() }] })
    debug('a secret itself', { secret, error: new Error(`401 for ${secret.reveal()}`) })
    expect(lines).toEqual([
      'bkp-a debug logged in with [secret]',
      'bkp-a debug asked {"url":"https://a/?t=[secret]","in":[{"deep":"[secret]"}]}',
      'bkp-a debug a secret itself {"secret":"[secret]","error":"401 for [secret]"}',
    ])
    expect(people.join()).not.toContain('pass')
  })

  it('is told to others than usual where somebody else tells people', () => {
    const notes: string[] = []
    const note = (text: string) => notes.push(text)
    logs.of('bkp-a', { debug: () => undefined, info: () => undefined, warn: note }).warn('a file was odd', { n: 1 })
    expect([notes, people, lines]).toEqual([['a file was odd'], [], ['bkp-a warn a file was odd {"n":1}']])
  })

  it('may be anything: what cannot be shown is told instead of thrown', () => {
    const circle: Record<string, unknown> = {}
    circle.self = circle
    logs.of('bkp-a').info('odd', { bytes: new Uint8Array(3), big: 2n ** 60n })
    logs.of('bkp-a').info('round', circle)
    logs.of('bkp-a').warn(new Error('no text') as unknown as string)
    expect(lines[0]).toBe('bkp-a info odd {"bytes":"[3 bytes]","big":"1152921504606846976"}')
    expect(lines[1]).toContain('round {"details":"cannot be shown: ')
    expect(lines[2]).toBe('bkp-a warn Error: no text')
  })
})
