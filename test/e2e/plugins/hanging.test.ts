import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bkp } from '../../support/run-bkp.js'
import { misbehavingRuns } from './support/run-misbehaving.js'

const plugin = 'bkp-test-misbehaving'
const pluginCallMs = 1500
const { run } = misbehavingRuns()
// Only newer versions of Node can leave behind what does not end and say how it ended.
const codeAtOnce = 'execve' in process ? 1 : null
const hung = (call: string) => ({
  error: {
    code: 'plugin-failed',
    message: `The plugin ${plugin} failed: its ${call} did not come back within 1.5 s`,
  },
})

describe('a worker module that does not come back', () => {
  it.each([
    ['compress', { compression: 'bad-hangs' }],
    ['seal', { cipher: 'hangs-in-threads' }],
    ['openSource', { source: 'hangs', sourceOptions: { at: 'openSource', loops: true } }],
    ['list', { source: 'hangs', sourceOptions: { at: 'list' } }],
    ['read', { source: 'hangs', sourceOptions: { at: 'read' } }],
    ['read', { source: 'hangs', sourceOptions: { at: 'read', loops: true } }],
  ])('from %s ends the run under its name, and nothing is damaged', async (call, options) => {
    const { code, outcome, stderr } = await run({ ...options, pluginCallMs })
    expect(outcome, stderr).toMatchObject(hung(call))
    expect(code).toBe(0)
    const next = await run({ isReading: true })
    expect(next.outcome, next.stderr).toMatchObject({ found: 0, damages: 0, snapshots: 1 })
  })

  it('is named at once when the thread has nothing to do but to wait for it', async () => {
    const { outcome, stderr } = await run({ source: 'hangs', sourceOptions: { at: 'openSource' } })
    expect(outcome, stderr).toMatchObject({
      error: {
        code: 'plugin-failed',
        message: `The plugin ${plugin} failed: Worker thread 0 waited for a promise that nobody settles`,
      },
    })
  })

  it('from decompress ends a check under its name', async () => {
    const first = await run({ compression: 'hangs-back' })
    expect(first.outcome, first.stderr).toMatchObject({ snapshots: 1 })
    const { outcome, stderr } = await run({ isReading: true, pluginCallMs })
    expect(outcome, stderr).toMatchObject({ found: 1, ...hung('decompress') })
  })
})

describe('the command line', () => {
  const work = mkdtempSync(join(tmpdir(), 'bkp-hanging-'))
  const folder = fileURLToPath(new URL('./misbehaving', import.meta.url))
  const env = { BKP_DATA_DIR: join(work, 'data'), BKP_PLUGIN_TIMEOUT: '1' }
  const to = ['--to', join(work, 'repository')]
  beforeAll(async () => {
    expect(await bkp(['plugins:link', folder, '--yes', '--name', plugin], { env })).toMatchObject({ code: 0 })
    expect(await bkp(['init', ...to], { env })).toMatchObject({ code: 0 })
  })
  afterAll(() => rmSync(work, { recursive: true, force: true }))

  it('ends with exit code 1, what to do next, and nothing on standard output', async () => {
    const ran = await bkp(['backup', folder, '--compression', 'bad-hangs', ...to], { env })
    expect(ran).toMatchObject({ code: 1, stdout: '' })
    expect(ran.stderr).toContain(`Error: The plugin ${plugin} failed: its compress did not come back within 1 s\n`)
    expect(ran.stderr).toContain('BKP_PLUGIN_TIMEOUT')
    expect(await bkp(['check', '--read-data', '--from', join(work, 'repository')], { env })).toMatchObject({ code: 0 })
  })

  it('ends, too, when native code keeps the thread from ending', async () => {
    const fifo = join(work, 'fifo')
    execFileSync('mkfifo', [fifo])
    const source = ['--source', 'hangs', '--source-option', 'at=read', '--source-option', `fifo=${fifo}`]
    const ran = await bkp(['backup', '/', ...source, ...to], { env })
    expect(ran.stderr).toContain(`Error: The plugin ${plugin} failed: its read did not come back within 1 s\n`)
    expect(ran.code).toBe(codeAtOnce)
  })

  it.each(['loops', 'loops-later'])('names a storage that keeps its thread to itself: %s', async (way) => {
    const ran = await bkp(['init', '--to', `bad://open-${way}`, '--json'], { env })
    expect(ran.code).toBe(1)
    const message = `The plugin ${plugin} failed: it kept its thread to itself for 1 s`
    expect(JSON.parse(ran.stdout)).toMatchObject({ error: { code: 'plugin-failed', message } })
  })

  it('ends, too, when native code keeps the thread of a storage from ending', async () => {
    const ran = await bkp(['init', '--to', 'bad://open-blocks'], { env })
    expect(ran.stderr).toContain(`Error: The plugin ${plugin} failed: it kept its thread to itself for 1 s\n`)
    expect(ran.code).toBe(codeAtOnce)
  })

  it.each(['loops-in-main', 'loops-later-in-main'])('ends when a cipher keeps the main thread: %s', async (cipher) => {
    const ran = await bkp(['backup', folder, '--cipher', cipher, '--json', ...to], { env })
    expect(ran.code).toBe(codeAtOnce)
    const message = `The plugin ${plugin} failed: it keeps bkp from going on for 1 s`
    expect(JSON.parse(ran.stdout)).toMatchObject({ error: { code: 'plugin-failed', message } })
  })

  it('ends as it would when a notifier keeps its thread to itself, and tells of it', async () => {
    const config = join(work, 'loops.yaml')
    const notifiers = 'notifiers:\n  bad: { use: bad, on: [finished], options: { way: loops } }\n'
    const disk = `{ url: ${join(work, 'repository')} }`
    writeFileSync(config, `version: 1\nrepositories:\n  here:\n    destinations: { disk: ${disk} }\n${notifiers}`)
    const ran = await bkp(['backup', folder, '--to', 'here', '--config', config], { env })
    expect(ran.stdout).toContain('Snapshot ')
    expect(ran.code).toBe(0)
    expect(ran.stderr).toContain(`The plugin ${plugin} failed: it kept its thread to itself for 1 s`)
  })

  it('takes no time limit that is none', async () => {
    const ran = await bkp(['backup', folder, ...to], { env: { ...env, BKP_PLUGIN_TIMEOUT: '0' } })
    expect(ran).toMatchObject({ code: 2, stderr: expect.stringContaining('BKP_PLUGIN_TIMEOUT is "0"') })
  })
})
