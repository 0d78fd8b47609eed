import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FakeEngine } from '../testing/fake-engine.js'
import { runCommand } from '../testing/run-command.js'
import { answers } from '../testing/samples.js'
import { violations } from '../testing/schemas.js'

const secret = 'cloud-hunter2'
const text = `version: 1
repositories:
  home:
    destinations:
      nas:
        url: cloud://old # a friend's
        options: { keyId: k1, secretKey: env:OLD_SECRET }
        limits: { upload: 1M }
      disk: /mnt/disk
`

let home = ''
let file = ''
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'bkp-migrate-'))
  file = join(home, '.config/bkp/config.yaml')
  mkdirSync(join(home, '.config/bkp'), { recursive: true })
  writeFileSync(file, text, { mode: 0o600 })
})
afterEach(() => rmSync(home, { recursive: true }))

const env = { OLD_SECRET: 'old-hunter2', CLOUD_SECRET: secret, CLOUD_REGION: 'eu' }
const migrate = (from: string, to: string, ...more: string[]) =>
  runCommand(['migrate', '--from', from, '--to', to, '--yes', ...more], { home, env })

describe('bkp migrate', () => {
  it('points the configuration to the new place: limits and query stay, options go, credentials are told of', async () => {
    const ran = await migrate('nas', 'cloud://new/here?region=us&keyId=k2', '--json')
    const [document] = ran.json()
    expect(violations('migrate.json', document)).toEqual([])
    expect(document).toMatchObject({ state: 'complete', movedInConfig: 'home:nas' })
    const steps = String(document?.nextSteps)
    expect(steps).toContain('taken out of home:nas: keyId, secretKey')
    expect(steps).toContain('CLOUD_REGION, CLOUD_SECRET')
    expect(steps).toContain('secretKey: env:CLOUD_SECRET')
    expect(steps).not.toContain('hunter2')
    const changed = readFileSync(file, 'utf8')
    expect(changed).toContain('url: cloud://new/here?region=us&keyId=k2')
    expect(changed).toContain('limits: { upload: 1M }')
    expect(changed).not.toContain('OLD_SECRET')
  })

  it('tells people the same', async () => {
    const { stdout } = await migrate('nas', '/mnt/new')
    expect(stdout).toContain("The configuration's home:nas points there now")
    expect(stdout).toContain('Time: about 2.0 s to copy and 1.0 s to read back')
    expect(stdout).not.toContain('environment')
  })

  it('leaves the configuration when told so, when the new place stands in it, and when all is not well', async () => {
    const kept = await migrate('nas', 'cloud://new?keyId=k2', '--keep-config', '--json')
    expect(kept.json()).toMatchObject([{ movedInConfig: null, nextSteps: [] }])
    const [document] = (await migrate('nas', 'disk', '--json')).json()
    expect(document).toMatchObject({ movedInConfig: null })
    expect(String(document?.nextSteps)).toContain('bkp destinations remove home:nas')
    const engine = new FakeEngine()
    engine.answers.migration = {
      ...answers.migration,
      state: 'incomplete',
      replacedObjects: 2,
      faults: [{ key: 'packs/ab/cd', message: 'is gone' }],
    }
    const ran = await runCommand(['migrate', '--from', 'nas', '--to', '/mnt/new', '--yes'], { engine, home, env })
    expect(ran.exitCode).toBe(13)
    expect(ran.stdout).toContain('packs/ab/cd: is gone')
    expect(ran.stdout).toContain(
      'Before this is run again, heal the source: bkp check --from nas --heal-from OTHER --read-data\n',
    )
    expect(ran.stdout).toContain('2 objects had wrong bytes at the new place, and were replaced')
    expect(readFileSync(file, 'utf8')).toBe(text)
  })
})
