import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bkp } from '../support/run-bkp.js'

const work = mkdtempSync(join(tmpdir(), 'bkp-missing-secret-'))
const at = (...names: string[]) => join(work, ...names)
const env = { BKP_PASSWORD: 'x', BKP_CONFIG: at('config.yaml') }
const run = (...args: string[]) => bkp(args, { env })

beforeAll(async () => {
  mkdirSync(at('source'))
  writeFileSync(at('source', 'file'), 'text')
  // The environment has no such variable.
  const config = `version: 1
repositories:
  docs:
    destinations:
      disk: ${at('disk')}
      b2: { url: 'b2://bucket/docs', options: { applicationKeyId: k1, applicationKey: 'env:NOBODY_HAS_SET_THIS' } }
`
  writeFileSync(at('config.yaml'), config, { mode: 0o600 })
  expect(await run('init', '--to', 'docs:disk')).toMatchObject({ code: 0 })
})
afterAll(() => rmSync(work, { recursive: true }))

describe('a destination whose secret cannot be fetched', () => {
  it('lags, and the others are backed up to', async () => {
    const { code, stdout, stderr } = await run('backup', at('source'), '--to', 'docs', '--json')
    expect(code, stderr).toBe(4)
    const { destinations } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as {
      destinations: { name: string; state: string; message?: string }[]
    }
    expect(destinations.map(({ name, state }) => [name, state])).toEqual([
      ['disk', 'complete'],
      ['b2', 'lagging'],
    ])
    expect(JSON.stringify(destinations)).toContain('NOBODY_HAS_SET_THIS')
    const forPeople = await run('backup', at('source'), '--to', 'docs')
    expect(forPeople.code).toBe(4)
    expect(forPeople.stderr).toContain('bkp config edit')
  })

  it('is not read from, which is said', async () => {
    const { code, stderr } = await run('restore', 'latest', '--from', 'docs', '--target', at('restored'))
    expect(code).toBe(0)
    expect(stderr).toContain(
      'b2 is not read from: option applicationKey of docs:b2 comes from the environment variable',
    )
  })

  it('is an error where it is the only one', async () => {
    const { code, stderr } = await run('snapshots', '--from', 'docs:b2')
    expect(code, stderr).toBe(2)
    expect(stderr).toContain('NOBODY_HAS_SET_THIS')
    expect(stderr).toContain('bkp config edit')
  })

  it('is given nothing by a sync, which says so', async () => {
    const { code, stderr } = await run('sync', '--from', 'docs:disk', '--to', 'docs:b2')
    expect(code, stderr).toBe(4)
    expect(stderr).toContain('NOBODY_HAS_SET_THIS')
  })

  it('is told by a test of all destinations', async () => {
    const { code, stdout } = await run('destinations', 'test', '--to', 'docs', '--json')
    expect(code).not.toBe(0)
    expect(stdout).toContain('NOBODY_HAS_SET_THIS')
  })
})
