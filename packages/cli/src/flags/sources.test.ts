import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FakeEngine } from '../testing/fake-engine.js'
import { runCommand } from '../testing/run-command.js'

let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'bkp-sources-'))
})
afterEach(() => rmSync(home, { recursive: true }))

async function backedUp(argv: readonly string[]): Promise<unknown> {
  const engine = new FakeEngine()
  const ran = await runCommand(['backup', ...argv], { engine, home })
  expect(ran.exitCode, ran.stderr).toBe(0)
  return engine.calls.find(({ operation }) => operation === 'backup')?.options
}

describe('a source of a plugin', () => {
  it('gets its paths as they are, and options as numbers and truth values where they are such', async () => {
    const argv = ['main', '--source', 'git', '--source-option', 'depth=3', '--source-option', 'bare=true']
    expect(await backedUp([...argv, '--source-option', 'url=/srv/x=y', '--to', '/repo'])).toMatchObject({
      source: { id: 'git', configuration: { depth: 3, bare: true, url: '/srv/x=y' } },
      paths: [Buffer.from('main')],
    })
  })

  it('needs no paths', async () => {
    expect(await backedUp(['--source', 'git', '--to', '/repo'])).toMatchObject({ paths: [Buffer.from('/')] })
  })

  it('may be that of a job', async () => {
    mkdirSync(join(home, '.config/bkp'), { recursive: true })
    const jobs =
      'jobs:\n  code: { source: { use: git, options: { depth: 1 } }, paths: [main] }\n  bare: { source: { use: git } }\n'
    const repositories = 'repositories:\n  home: { destinations: { disk: /repo } }\n'
    writeFileSync(join(home, '.config/bkp/config.yaml'), `version: 1\n${repositories}${jobs}`)
    expect(await backedUp(['code'])).toMatchObject({
      source: { id: 'git', configuration: { depth: 1 } },
      paths: [Buffer.from('main')],
    })
    expect(await backedUp(['bare'])).toMatchObject({ source: { id: 'git', configuration: {} } })
  })

  it.each([
    [['--source-option', 'a=b'], 'no --source'],
    [['--source', 'git', '--source-option', 'a'], 'has no value'],
    [['--source', 'git', '--from-command', 'x'], 'Make two snapshots'],
  ])('is refused with %s', async (argv, text) => {
    const ran = await runCommand(['backup', ...argv, '--to', '/repo'], { home })
    expect(ran.exitCode).toBe(2)
    expect(ran.stderr).toContain(text)
  })
})
