import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { ownsMachine } from '../support/machine.js'
import { mountMemory, unmount, unmountAll } from '../support/mounts.js'
import { expectNoBreakdown } from '../support/outcomes.js'
import { bkp, bkpJson } from '../support/run-bkp.js'

const work = mkdtempSync(join(tmpdir(), 'bkp-mounted-'))
const source = join(work, 'source')
const disk = join(work, 'disk')
const usb = join(work, 'usb')
const config = ['--config', join(work, 'config.yaml')]

beforeAll(async () => {
  mkdirSync(source)
  writeFileSync(join(source, 'letter'), 'dear reader')
  await bkpJson(['init', '--to', join(disk, 'backup')])
  writeFileSync(
    join(work, 'config.yaml'),
    `version: 1
repositories: { home: { destinations: { disk: ${disk}/backup, usb: ${usb}/backup } } }
`,
  )
})
afterEach(unmountAll)
afterAll(() => rmSync(work, { recursive: true, force: true }))

describe.runIf(ownsMachine)('a disk of the configuration that comes and goes', () => {
  it('gets a replica when that is asked for, is named while it is away, and its mount point stays empty', async () => {
    mountMemory(usb, 20)
    const first = await bkp(['backup', source, '--to', 'home', ...config])
    expectNoBreakdown(first)
    expect(first).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('a new replica is made there by: bkp sync --from disk --to usb'),
      stdout: expect.stringContaining('Bring up what lags by: bkp sync --from home'),
    })
    expect(readdirSync(usb)).toEqual([])
    expect(await bkp(['sync', ...config])).toMatchObject({ code: 4 })
    expect(readdirSync(usb)).toEqual([])
    expect(await bkp(['sync', '--to', 'usb', ...config])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^usb: complete, given/m),
    })
    await bkpJson(['check', '--from', 'usb', '--read-data', ...config])

    unmount(usb)
    for (const command of [['backup', source], ['snapshots'], ['ls', 'latest'], ['sync']]) {
      const ran = await bkp([...command, ...config])
      expectNoBreakdown(ran)
      expect(ran.stderr).toMatch(/usb (takes no further part|is not read from): There is no repository at/)
      expect(readdirSync(usb)).toEqual([])
    }
    const status = await bkp(['destinations', 'status', ...config])
    expect(status).toMatchObject({ code: 4, stdout: expect.stringMatching(/^usb +no repository$/m) })
  })
})
