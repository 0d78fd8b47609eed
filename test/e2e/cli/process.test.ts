import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bkp, bkpJson, passphrase } from '../../support/run-bkp.js'

const executable = fileURLToPath(new URL('../../../packages/cli/bin/run.js', import.meta.url))
const work = mkdtempSync(join(tmpdir(), 'bkp-process-'))
const repository = join(work, 'repository')
const source = join(work, 'source')
const binary = Buffer.from(Array.from({ length: 3_000_000 }, (_, n) => (n * 7 + (n >> 8)) & 0xff))
const from = ['--from', repository]
const to = ['--to', repository]
let recoveryCode = ''

beforeAll(async () => {
  mkdirSync(source)
  writeFileSync(join(source, 'binary'), binary)
  for (let n = 0; n < 500; n++) writeFileSync(join(source, `file ${n}`), `content ${n}`)
  recoveryCode = String((await bkpJson(['init', ...to])).recoveryCode)
  await bkpJson(['backup', source, ...to])
})
afterAll(() => rmSync(work, { recursive: true }))

const env = { ...process.env, BKP_PASSWORD: passphrase }
const shell = (command: string) =>
  spawnSync('bash', ['-c', `bkp() { "${process.execPath}" "${executable}" "$@"; }; ${command}`], {
    env,
    encoding: 'utf8',
  })

describe('standard output', () => {
  it('of dump is the file, byte for byte', () => {
    const args = [executable, 'dump', `latest:${join(source, 'binary')}`, ...from]
    expect(execFileSync(process.execPath, args, { env, maxBuffer: 1 << 24 }).equals(binary)).toBe(true)
  })

  it('that nobody reads to its end is no failure', () => {
    const { stdout, stderr } = shell(`bkp ls -R latest ${from.join(' ')} | head -1; echo "codes \${PIPESTATUS[@]}"`)
    expect(stderr).toBe('')
    expect(stdout).toMatch(/^d.*\ncodes 0 0\n$/)
  })

  it('on a full disk is a failure', () => {
    const { status, stderr } = shell(`bkp ls latest ${from.join(' ')} > /dev/full`)
    expect(status).toBe(1)
    expect(stderr).toContain('ENOSPC')
  })

  it('of JSON is a document even when standard error goes to the same place', () => {
    const { stdout } = shell(`bkp stats ${from.join(' ')} --json 2>&1`)
    expect(JSON.parse(stdout)).toMatchObject({ version: 1, snapshots: 1 })
  })
})

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
    expect((await bkp(['backup', source, ...to])).code).toBe(0)
  })
})

describe('start-up', () => {
  it('of --version takes at most 150 ms more than node itself (medians of 9)', () => {
    const median = (args: readonly string[]) => {
      const times = Array.from({ length: 9 }, () => {
        const started = performance.now()
        expect(spawnSync(process.execPath, args).status).toBe(0)
        return performance.now() - started
      })
      return times.sort((a, b) => a - b)[4] as number
    }
    expect(median([executable, '--version']) - median(['-e', '0'])).toBeLessThan(150)
  })

  it('warns of nothing', async () => {
    for (const args of [['--version'], ['doctor'], ['backup', source, ...to]]) {
      expect((await bkp(args)).stderr).not.toMatch(/warning/i)
    }
  })
})

describe('completion', () => {
  it('in bash completes "bkp ba"', () => {
    const { stdout } = shell(
      `source <(bkp completion bash); COMP_WORDS=(bkp ba); COMP_CWORD=1; _bkp; echo "\${COMPREPLY[@]}"`,
    )
    expect(stdout).toBe('backup\n')
  })
})
