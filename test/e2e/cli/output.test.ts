import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bkpJson, passphrase } from '../../support/run-bkp.js'
import { executable } from './executable.js'

const work = mkdtempSync(join(tmpdir(), 'bkp-output-'))
const repository = join(work, 'repository')
const source = join(work, 'source')
const binary = Buffer.from(Array.from({ length: 3_000_000 }, (_, n) => (n * 7 + (n >> 8)) & 0xff))
const from = ['--from', repository]

beforeAll(async () => {
  mkdirSync(source)
  writeFileSync(join(source, 'binary'), binary)
  for (let n = 0; n < 500; n++) writeFileSync(join(source, `file ${n}`), `content ${n}`)
  await bkpJson(['init', '--to', repository])
  await bkpJson(['backup', source, '--to', repository])
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

describe('completion', () => {
  it('in bash completes "bkp ba"', () => {
    const { stdout } = shell(
      `source <(bkp completion bash); COMP_WORDS=(bkp ba); COMP_CWORD=1; _bkp; echo "\${COMPREPLY[@]}"`,
    )
    expect(stdout).toBe('backup\n')
  })
})
