import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FakeEngine } from '../testing/fake-engine.js'
import { runCommand } from '../testing/run-command.js'
import { answers } from '../testing/samples.js'

const home = mkdtempSync(join(tmpdir(), 'bkp-check-'))
beforeAll(() => {
  mkdirSync(join(home, '.config/bkp'), { recursive: true })
  const config = `version: 1
repositories:
  photos:
    destinations: { disk: /mnt/disk, nas: /mnt/nas, cloud: /mnt/cloud }
  work:
    destinations: { disk: /mnt/work }
`
  writeFileSync(join(home, '.config/bkp/config.yaml'), config, { mode: 0o600 })
})
afterAll(() => rmSync(home, { recursive: true }))

describe('a check of one place', () => {
  const engine = new FakeEngine()
  engine.answers.check = { ...answers.check, damages: [{ key: 'packs/a', message: 'is damaged', affects: [] }] }
  const check = (...more: string[]) => runCommand(['check', ...more], { engine, home })

  it('says which others of the configuration it can be healed from', async () => {
    const remedy = 'bkp check --from nas --heal-from photos:disk, or bkp check --from nas --heal-from cloud'
    const { exitCode, stdout, stderr } = await check('--from', 'nas', '--heal')
    expect(exitCode).toBe(13)
    expect(stderr).toContain('Nothing can be healed, since there is no other replica to heal from')
    expect(stderr).toContain(`${remedy}\n`)
    expect(stdout).toContain(`Heal it from another replica: ${remedy}\n`)
    expect(await check('--from', 'nas')).toMatchObject({ stderr: '', stdout: expect.stringContaining(remedy) })
    expect((await check('--from', 'nas', '--read-data=10%')).stdout).toContain('--heal-from cloud --read-data\n')
  })

  it('says that another is needed where none is known', async () => {
    const needed = (from: string) => `another replica is needed: bkp check --from ${from} --heal-from PLACE\n`
    for (const from of ['work', '/elsewhere']) {
      expect((await check('--from', from, '--heal')).stderr).toContain(needed(from))
      expect((await check('--from', from)).stdout).toContain(needed(from))
    }
  })

  it('says nothing of the kind with another to heal from, or without damage', async () => {
    for (const more of [
      ['--from', 'nas', '--heal-from', 'cloud'],
      ['--from', 'photos', '--heal'],
    ])
      expect((await check(...more)).stdout + (await check(...more)).stderr).not.toContain('another replica')
    const sound = await runCommand(['check', '--from', 'nas'], { home })
    expect(sound).toMatchObject({ exitCode: 0, stderr: '', stdout: expect.not.stringContaining('another replica') })
  })
})
