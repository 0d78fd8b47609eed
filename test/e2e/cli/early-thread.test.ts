import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bkp } from '../../support/run-bkp.js'

describe('a command whose first thread starts before the command line is loaded', () => {
  const work = mkdtempSync(join(tmpdir(), 'bkp-early-'))
  const repository = join(work, 'repository')

  beforeAll(async () => {
    writeFileSync(join(work, 'file'), 'content')
    expect((await bkp(['init', '--to', repository])).code).toBe(0)
  })
  afterAll(() => rmSync(work, { recursive: true }))

  it.each([
    ['is used wrongly', ['backup', '--no-such-flag'], 2],
    ['has nothing to do', ['backup', '--to', repository], 2],
    ['finds no repository', ['backup', work, '--to', join(work, 'nothing')], 10],
    ['finds no snapshot', ['restore', 'latest', '--from', repository, '--target', join(work, 'target')], 1],
    ['is asked for help', ['check', '--help'], 0],
  ])('ends as ever when it %s', async (_, argv, code) => {
    for (let n = 0; n < 3; n++) expect((await bkp(argv)).code).toBe(code)
  })

  it('keeps the passphrase from a program that the thread starts, though the thread is older than its removal', async () => {
    const program = `sh -c 'echo "[$BKP_PASSWORD]"'`
    const saved = await bkp(['backup', '--from-command', program, '--stdin-name', 'env', '--to', repository])
    expect(saved.code, saved.stderr).toBe(0)
    expect((await bkp(['dump', 'latest:/env', '--from', repository])).stdout).toBe('[]\n')
  })
})
