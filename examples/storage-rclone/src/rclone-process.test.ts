import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { Secret } from '@bkp/plugin-api'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startRclone } from './rclone-process.js'
import { log, makePlace, type Place } from './testing/place.js'

let place: Place
beforeEach(async () => {
  place = await makePlace()
})
afterEach(() => place.dispose())

const start = (more = {}) => startRclone({ ...place.configuration, configPassword: undefined, ...more }, log)

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

describe('rclone', () => {
  it('runs until it is closed, for who knows the password', async () => {
    const rclone = await start()
    const pid = await place.pid()
    const ask = (headers: Record<string, string>) => fetch(`${rclone.url}rc/noop`, { method: 'POST', headers })
    expect((await ask({})).status).toBe(401)
    expect((await ask({ Authorization: rclone.authorization })).status).toBe(200)
    await rclone.close()
    expect(isRunning(pid)).toBe(false)
  })

  it('ends with us, also when we are killed', async () => {
    const entry = new URL('../dist/rclone-process.js', import.meta.url).href
    const program = `const { startRclone } = await import(${JSON.stringify(entry)})
      const log = { debug() {} }
      const { folder } = await startRclone(${JSON.stringify(place.configuration)}, log)
      console.log(folder)`
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [folder] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string]
    const pid = await place.pid()
    expect(isRunning(pid)).toBe(true)
    child.kill('SIGKILL')
    await expect.poll(() => isRunning(pid), { timeout: 10_000 }).toBe(false)
    await expect.poll(() => existsSync(folder.trim()), { timeout: 10_000 }).toBe(false)
  })

  it('that is missing is said to be so, with what to install', async () => {
    await expect(start({ program: 'no-such-rclone' })).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining('no-such-rclone'),
      hint: expect.stringContaining('Install rclone'),
    })
  })

  it('that does not start says why', async () => {
    await expect(start({ config: place.root, program: 'false' })).rejects.toMatchObject({ code: 'config' })
  })

  it.runIf(process.platform === 'linux')('shows no secret in its arguments, and is not told those of bkp', async () => {
    process.env.BKP_PASSWORD = 'passphrase of the repository'
    const rclone = await start({ configPassword: new Secret('hunter2') })
    try {
      const [args, environment] = await Promise.all(
        ['cmdline', 'environ'].map(async (name) => readFile(`/proc/${await place.pid()}/${name}`, 'utf8')),
      )
      const [, password] = /RCLONE_RC_PASS=([^\0]+)/.exec(environment ?? '') ?? []
      expect(environment).toContain('RCLONE_CONFIG_PASS=hunter2')
      expect(environment).not.toContain('BKP_PASSWORD')
      expect(password?.length).toBeGreaterThan(30)
      for (const secret of ['hunter2', password]) expect(args).not.toContain(secret)
    } finally {
      delete process.env.BKP_PASSWORD
      await rclone.close()
    }
  })
})
