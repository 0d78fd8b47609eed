import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ownsMachine } from '../../support/machine.js'
import { bkp, bkpJson } from '../../support/run-bkp.js'

const work = mkdtempSync(join(tmpdir(), 'bkp-e2e-config-'))
afterAll(() => rmSync(work, { recursive: true }))

const secret = 'e2e-hunter2-of-the-repository'
const exportSecret = 'e2e-hunter2-of-the-export'
const oldHome = join(work, 'old')
const newHome = join(work, 'new')
const sealed = join(work, 'config.age')
/** A machine of its own: home and configuration. */
const machine = (home: string, more: Readonly<Record<string, string | undefined>> = {}) => ({
  env: { HOME: home, XDG_CONFIG_HOME: join(home, '.config'), XDG_CACHE_HOME: join(home, '.cache'), ...more },
})

beforeAll(async () => {
  mkdirSync(join(oldHome, 'documents'), { recursive: true })
  writeFileSync(join(oldHome, 'documents', 'letter.txt'), 'Dear Ann')
  writeFileSync(join(oldHome, 'documents', 'scratch.tmp'), 'x')
  await bkpJson(['destinations', 'add', 'disk', join(work, 'disk'), '--repository', 'home'], machine(oldHome))
  const file = join(oldHome, '.config/bkp/config.yaml')
  const settings = '    password: env:HOME_SECRET\n    compression: deflate\n'
  const jobs = "jobs:\n  letters:\n    paths: [~/documents]\n    excludes: ['*.tmp']\n    tags: [paper]\n"
  const text = readFileSync(file, 'utf8').replace('jobs: {}\n', `${settings}${jobs}`)
  writeFileSync(file, text)
})

describe('a configuration', () => {
  it('names repository and job of a backup, and moves with its secrets to a new machine that restores', async () => {
    const outputs: string[] = []
    const run = async (args: readonly string[], options: ReturnType<typeof machine>) => {
      const ran = await bkp(args, options)
      outputs.push(ran.stdout, ran.stderr)
      expect(ran, args.join(' ')).toMatchObject({ code: 0 })
    }
    // The passphrase comes from the configuration alone.
    const old = machine(oldHome, { HOME_SECRET: secret, BKP_EXPORT_PASSWORD: exportSecret, BKP_PASSWORD: undefined })
    await run(['init'], old)
    await run(['backup', 'letters'], old)
    await run(['config', 'export', '--with-secrets', '--output', sealed], old)
    const documents = join(oldHome, 'documents')
    rmSync(oldHome, { recursive: true })
    const fresh = machine(newHome, { BKP_EXPORT_PASSWORD: exportSecret, BKP_PASSWORD: undefined })
    await run(['config', 'import', sealed], fresh)
    await run(['config', 'show'], fresh)
    await run(['restore', `latest:${documents}`, '--target', join(work, 'back')], fresh)
    expect(readFileSync(join(work, 'back', 'letter.txt'), 'utf8')).toBe('Dear Ann')
    expect(() => readFileSync(join(work, 'back', 'scratch.tmp'))).toThrow('ENOENT')
    for (const output of outputs) expect(output).not.toMatch(/hunter2/)
  })

  it.runIf(ownsMachine)('that was exported with secrets opens by the age tool', () => {
    const opened = join(work, 'opened.yaml')
    // age asks on a terminal alone; script gives it one.
    execFileSync('script', ['-qec', `age -d -o '${opened}' '${sealed}'`, '/dev/null'], { input: `${exportSecret}\n` })
    expect(readFileSync(opened, 'utf8')).toContain(`password: ${secret} # was env:HOME_SECRET`)
  })
})
