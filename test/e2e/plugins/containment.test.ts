import { describe, expect, it } from 'vitest'
import { misbehavingRuns } from './support/run-misbehaving.js'

const plugin = 'bkp-test-misbehaving'
const quick = { callSeconds: 1, retrySeconds: 0 }
/** So that what a busy machine does later than in a second is not taken for a call that hangs. */
const slow = { callSeconds: 40, retrySeconds: 0 }

const ran = misbehavingRuns()
const { run } = ran

describe('a storage of a plugin that misbehaves', () => {
  const withBad = (way: string, patience: object = quick) => ({
    places: [
      { name: 'good', url: ran.repository() },
      { name: 'bad', url: `bad://${way}`, patience },
    ],
  })

  it.each([
    ['throws', 'a fault inside of the plugin'],
    ['exits', 'it tried to end bkp by process.exit'],
    ['exits-and-catches', 'it tried to end bkp by process.exit'],
    ['aborts', 'it tried to end bkp by process.abort'],
    ['throws-later', 'a fault in a timer'],
    ['rejects-later', 'a promise that nobody holds'],
  ])('and %s loses its destination under its name, and the run goes on', async (way, reason) => {
    const { code, outcome, stderr } = await run(withBad(way))
    expect(outcome, stderr).toMatchObject({
      snapshots: 1,
      destinations: [
        { name: 'good', state: 'complete' },
        { name: 'bad', state: 'lagging', message: `The plugin ${plugin} failed: ${reason}` },
      ],
    })
    expect(outcome).not.toHaveProperty('error')
    expect(code).toBe(0)
  })

  it.each(['throws', 'exits', 'throws-later'])('and %s while it lists is no hindrance to others', async (way) => {
    const [good, bad] = withBad(`list-${way}`).places
    for (const places of [
      [good, bad],
      [bad, { ...good, url: `${good?.url}-2` }],
    ]) {
      const { outcome, stderr } = await run({ places, isChecking: false })
      expect(outcome, stderr).toMatchObject({ snapshots: 1 })
      for (const expected of [
        { name: 'good', state: 'complete' },
        { name: 'bad', state: 'lagging' },
      ])
        expect(outcome.destinations, stderr).toContainEqual(expect.objectContaining(expected))
      expect(outcome).not.toHaveProperty('error')
    }
  })

  it('and gives packs back wrong does not take others down with it', async () => {
    const [good, bad] = withBad('near-throws').places
    const { outcome, stderr } = await run({ places: [bad, good] })
    expect(outcome, stderr).toMatchObject({ snapshots: 1 })
    expect(outcome.destinations, stderr).toContainEqual(expect.objectContaining({ name: 'good', state: 'complete' }))
    expect(outcome).not.toHaveProperty('error')
  })

  it('and hangs loses its destination when its time is up', async () => {
    const { outcome, stderr } = await run(withBad('hangs'))
    expect(outcome, stderr).toMatchObject({ snapshots: 1, destinations: [{ name: 'good' }, { state: 'lagging' }] })
  })

  it.each(['loops', 'loops-later'])('and %s loses its destination, and the run goes on without it', async (way) => {
    const { code, outcome, stderr } = await run({ ...withBad(way, slow), pluginCallMs: 500 })
    expect(outcome, stderr).toMatchObject({
      snapshots: 1,
      destinations: [
        { name: 'good', state: 'complete' },
        {
          name: 'bad',
          state: 'lagging',
          message: `The plugin ${plugin} failed: it kept its thread to itself for 0.5 s`,
        },
      ],
    })
    expect(outcome).not.toHaveProperty('error')
    expect(code).toBe(0)
  })

  it('and floods fills its own memory alone', async () => {
    const { code, outcome, stderr } = await run(withBad('floods', slow), ['--max-old-space-size=150'])
    expect(outcome, stderr).toMatchObject({
      snapshots: 1,
      destinations: [{ state: 'complete' }, { state: 'lagging', message: expect.stringContaining('memory limit') }],
    })
    expect(outcome).not.toHaveProperty('error')
    expect(code).toBe(0)
  })

  it.each(['tells-its-secret', 'tells-its-secret-by-code'])('and %s cannot tell it by an error', async (way) => {
    const [good, bad] = withBad(way).places
    const { outcome, stdout, stderr } = await run({ places: [good, { ...bad, token: 'tok-en-secret' }] })
    expect(outcome, stderr).toMatchObject({
      destinations: [{}, { state: 'lagging', message: expect.stringContaining('401 for the token [secret]') }],
    })
    expect(stdout + stderr).not.toContain('tok-en-secret')
  })

  it('and prints is kept from standard output, and works else', async () => {
    const { outcome, stdout, stderr } = await run(withBad('prints'))
    expect(stdout).not.toContain('hello')
    expect(outcome).toMatchObject({ destinations: [{ state: 'complete' }, { state: 'complete' }] })
    expect(stderr).toContain(`warn: ${plugin} printed where only results may stand; it was kept from it: hello from`)
    expect(stderr).toContain(`debug: ${plugin} printed: and once more`)
  })

  it('and exits while it is opened is left out, and named', async () => {
    const { outcome, stderr } = await run({ places: [{ name: 'bad', url: 'bad://open-exits' }] })
    expect(outcome, stderr).toMatchObject({
      error: { code: 'plugin-failed', message: `The plugin ${plugin} failed: it tried to end bkp by process.exit` },
    })
  })
})

describe('a notifier of a plugin that misbehaves', () => {
  it.each([
    ['throws', 'a fault inside of the plugin'],
    ['exits', 'it tried to end bkp by process.exit'],
    ['throws-later', 'a fault in a timer'],
    ['hangs', 'took longer than 1 s'],
    ['loops', 'it kept its thread to itself for 0.5 s'],
  ])('and %s is told of, and changes nothing else', async (way, reason) => {
    const notifier = { name: 'mail', use: 'bad', on: ['failed'], options: { way }, patience: quick }
    const { code, outcome, stderr } = await run({ notifiers: [notifier], pluginCallMs: 500 })
    expect(outcome, stderr).toMatchObject({
      snapshots: 1,
      told: [{ name: 'mail', state: 'failed', message: expect.stringContaining(reason) }],
    })
    expect(stderr).toContain('warn: The notifier mail (bad) was not told of "failed"')
    expect(code).toBe(0)
  })

  it('cannot tell its secret by an error', async () => {
    const options = { way: 'tells-its-secret' }
    const notifier = { name: 'mail', use: 'bad', on: ['failed'], options, token: 'tok-en-secret', patience: quick }
    const { outcome, stdout, stderr } = await run({ notifiers: [notifier] })
    expect(outcome).toMatchObject({ told: [{ message: expect.stringContaining('401 for the token [secret]') }] })
    expect(stdout + stderr).not.toContain('tok-en-secret')
  })
})

describe('a worker module that misbehaves', () => {
  it.each([
    ['bad-throws', 'a fault inside of the codec'],
    ['bad-exits', 'process.exit(0) was called in a thread'],
  ])('%s fails the run under its name', async (compression, reason) => {
    const { code, outcome, stderr } = await run({ compression })
    expect(outcome, stderr).toMatchObject({ error: { code: 'plugin-failed' } })
    expect(JSON.stringify(outcome)).toContain(`The plugin ${plugin} failed: ${reason}`)
    expect(code).toBe(0)
  })

  it('bad-floods fills its own memory alone, and is named', async () => {
    const { code, outcome, stderr } = await run({ compression: 'bad-floods' }, ['--max-old-space-size=150'])
    expect(outcome, stderr).toMatchObject({ error: { code: 'plugin-failed' } })
    expect(JSON.stringify(outcome)).toContain(`The plugin ${plugin} failed: `)
    expect(JSON.stringify(outcome)).toContain('memory')
    expect(code).toBe(0)
  })

  it('bad-hangs can be interrupted', async () => {
    const { code, outcome, stderr } = await run({ compression: 'bad-hangs', abortAfterMs: 2000 })
    expect(outcome, stderr).toHaveProperty('error')
    expect(code).toBe(0)
  })

  it('bad-prints is kept from standard output', async () => {
    const { outcome, stdout, stderr } = await run({ compression: 'bad-prints' })
    expect(stdout).not.toContain('hello')
    expect(outcome, stderr).toMatchObject({ snapshots: 1 })
    expect(stderr).toContain(`${plugin} printed: hello from the codec`)
  })

  it('as a source that throws is named', async () => {
    const { outcome, stderr } = await run({ source: 'bad-source' })
    expect(outcome, stderr).toMatchObject({
      error: { code: 'plugin-failed', message: `The plugin ${plugin} failed: a fault inside of the source` },
    })
  })
})

describe('a cipher of a stranger', () => {
  it('is not imported where nothing needs it, however bad it is', async () => {
    const { outcome, stderr } = await run({})
    expect(outcome).toMatchObject({ snapshots: 1 })
    expect(stderr).not.toContain('was imported')
  })

  it('that exits while it is imported is named where it is needed', async () => {
    const { code, outcome, stderr } = await run({ cipher: 'bad-at-import' })
    expect(outcome, stderr).toMatchObject({ error: { code: 'plugin-failed' } })
    expect(JSON.stringify(outcome)).toContain(plugin)
    expect(code).toBe(0)
  })

  it('is found again by what was written with it', async () => {
    const first = await run({ cipher: 'plain-text' })
    expect(first.outcome, first.stderr).toMatchObject({ snapshots: 1 })
    const second = await run({ isReading: true })
    expect(second.outcome, second.stderr).toMatchObject({ found: 1, damages: 0, snapshots: 2 })
    expect(second.stderr).toContain('plain-text was imported')
  })
})
