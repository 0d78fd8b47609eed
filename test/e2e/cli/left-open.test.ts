import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bkp } from '../../support/run-bkp.js'

describe('a timer that somebody left running', () => {
  let work: string
  beforeAll(() => {
    work = mkdtempSync(join(tmpdir(), 'bkp-left-open-'))
    writeFileSync(join(work, 'leak.mjs'), 'setInterval(() => undefined, 1000)\n')
  })
  afterAll(() => rmSync(work, { recursive: true }))

  it.each([
    [['completion', 'bash', '--json'], 0],
    [['snapshots', '--from', '/nonexistent', '--json'], 10],
  ] as const)('does not keep "bkp %s" from ending, with its result and its exit code', async (argv, code) => {
    const ran = await bkp(argv, { env: { NODE_OPTIONS: `--import ${join(work, 'leak.mjs')}` } })
    expect(ran.code).toBe(code)
    expect(JSON.parse(ran.stdout)).toHaveProperty('version', 1)
    expect(ran.stderr).toContain('Warning: bkp ended though something was left open (Timeout')
  })
})
