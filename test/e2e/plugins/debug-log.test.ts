import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bkp } from '../../support/run-bkp.js'

const folder = fileURLToPath(new URL('./misbehaving', import.meta.url))
const plugin = 'bkp-test-misbehaving'
const token = 'tok-en-that-nobody-may-see'
const work = mkdtempSync(join(tmpdir(), 'bkp-debug-log-'))
const config = join(work, 'bkp.yaml')
const to = ['--to', 'home', '--config', config]
const env = { BKP_DATA_DIR: join(work, 'data'), TALKS_TOKEN: token }

beforeAll(async () => {
  writeFileSync(
    config,
    `version: 1
repositories:
  home: { destinations: { main: '${join(work, 'repository')}' } }
notifiers:
  talker: { use: bad, on: [started, finished], options: { way: logs-its-secret, token: 'env:TALKS_TOKEN' } }
`,
  )
  expect(await bkp(['plugins:link', folder, '--yes', '--name', plugin], { env })).toMatchObject({ code: 0 })
  expect(await bkp(['init', ...to], { env })).toMatchObject({ code: 0 })
}, 60_000)
afterAll(() => rmSync(work, { recursive: true, force: true }))

/** A backup from a plugin's source that is told to its notifier: lines of standard error without their times. */
async function backupWith(DEBUG: string | undefined) {
  const ran = await bkp(['backup', '/', '--source', 'talks', ...to, '--json'], { env: { ...env, DEBUG } })
  return { ...ran, lines: ran.stderr.split('\n').map((line) => line.replace(/^\S+Z /, '')) }
}

describe('DEBUG', () => {
  it('shows what core and plugins say in all their threads, on standard error, without secrets', async () => {
    const { code, stdout, stderr, lines } = await backupWith('bkp:*')
    expect(code, stderr).toBe(0)
    expect(lines).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^bkp:core debug: .*the storage local of @bkp\/storage-local/),
        expect.stringMatching(/^bkp:core debug: bkp-test-misbehaving 0.0.0 was activated in /),
        `bkp:plugin:${plugin} debug: activated {"api":"1.1.0"}`,
        `bkp:plugin:${plugin} debug: telling {"authorization":"Bearer [secret]"}`,
        `bkp:plugin:${plugin} info: told with [secret]`,
        `bkp:plugin:${plugin} debug: the source was opened {"token":"[secret]","bytes":"[2 bytes]"}`,
        `bkp:plugin:${plugin} info: read was called`,
      ]),
    )
    expect(stderr + stdout).not.toContain(token)
    expect(JSON.parse(stdout)).toMatchObject({ version: 1, stats: { files: 1 } })
  })

  it('shows one plugin alone when only that is named', async () => {
    const { lines } = await backupWith(`bkp:plugin:${plugin}`)
    expect(lines).toContain(`bkp:plugin:${plugin} info: list was called`)
    expect(lines.filter((line) => line !== '' && !line.startsWith(`bkp:plugin:${plugin} `))).toEqual([])
    const others = await backupWith('bkp:plugin:@bkp/storage-local')
    expect(others.stderr).not.toContain(plugin)
  })

  it('unset shows nothing of it', async () => {
    expect(await backupWith(undefined)).toMatchObject({ code: 0, stderr: '' })
  })
})
