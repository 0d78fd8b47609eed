import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bkp, bkpJson, passphrase } from '../../support/run-bkp.js'
import { executable } from './executable.js'

const work = mkdtempSync(join(tmpdir(), 'bkp-streams-'))
const repository = join(work, 'repository')
const from = ['--from', repository]
const to = ['--to', repository]
let recoveryCode = ''

beforeAll(async () => {
  recoveryCode = String((await bkpJson(['init', ...to])).recoveryCode)
})
afterAll(() => rmSync(work, { recursive: true }))

describe('standard input and programs', () => {
  it('are backed up under a name, and come back', async () => {
    await bkp(['backup', '-', '--stdin-name', 'in.txt', ...to], { input: 'from a pipe\n' })
    expect((await bkp(['dump', 'latest:/in.txt', ...from])).stdout).toBe('from a pipe\n')
    const ran = await bkp(['backup', '--from-command', 'echo "[$BKP_PASSWORD]"', '--stdin-name', 'out.txt', ...to])
    expect(ran.code).toBe(0)
    // The program does not inherit the passphrase.
    expect((await bkp(['dump', 'latest:/out.txt', ...from])).stdout).toBe('[]\n')
  })

  it('make no snapshot when the program fails', async () => {
    const before = await bkpJson(['snapshots', ...from])
    expect((await bkp(['backup', '--from-command', 'echo half; exit 3', ...to])).code).toBe(1)
    expect(await bkpJson(['snapshots', ...from])).toEqual(before)
  })
})

describe('secrets', () => {
  it('open by file, by program, and by the recovery code', async () => {
    const none = { BKP_PASSWORD: '' }
    const file = join(work, 'passphrase')
    const code = join(work, 'code')
    writeFileSync(file, `${passphrase}\n`)
    writeFileSync(code, `${recoveryCode.toLowerCase()}\n`)
    for (const flags of [
      ['--password-file', file],
      ['--password-command', `cat ${file}`],
      ['--recovery-code-file', code],
    ]) {
      expect(await bkp(['stats', ...from, ...flags], { env: none })).toMatchObject({ code: 0, stderr: '' })
    }
    const env = { BKP_RECOVERY_CODE: recoveryCode }
    expect((await bkp(['stats', ...from, '--recovery-code'], { env })).code).toBe(0)
  })
})

describe('an interruption', () => {
  it('ends a backup with 130, leaves no snapshot, and the next run succeeds', async () => {
    const before = (await bkpJson(['snapshots', ...from])).snapshots as unknown as unknown[]
    const args = [
      executable,
      'backup',
      '--from-command',
      'echo begun >&2; cat /dev/zero',
      '--stdin-name',
      'zero',
      ...to,
    ]
    const env = { ...process.env, BKP_PASSWORD: passphrase }
    const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'pipe'] })
    let stderr = ''
    child.stderr.on('data', (piece: Buffer) => {
      if (!stderr.includes('begun')) setTimeout(() => child.kill('SIGINT'), 200)
      stderr += piece.toString()
    })
    const [code] = (await once(child, 'close')) as [number | null]
    expect(stderr).toContain('Interrupted by SIGINT')
    expect(code).toBe(130)
    const after = (await bkpJson(['snapshots', ...from])).snapshots as unknown as unknown[]
    expect(after).toHaveLength(before.length)
    expect((await bkp(['backup', '-', ...to], { input: 'again' })).code).toBe(0)
  })
})
