import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { bkp } from '../../support/run-bkp.js'

// Tells on standard error what is loaded, by the loader hooks of Node.
const hooks =
  'export async function load(url, context, next) { process._rawDebug("loaded " + url); return next(url, context) }'
const register = `import { register } from 'node:module'; register(${JSON.stringify(`data:text/javascript,${encodeURIComponent(hooks)}`)})`
const env = { NODE_OPTIONS: `--import "data:text/javascript,${encodeURIComponent(register)}"` }

async function modulesOf(...args: string[]): Promise<readonly string[]> {
  const { code, stderr } = await bkp(args, { env })
  expect(code).toBe(0)
  return [...stderr.matchAll(/^loaded (file:\S+)$/gm)].map(([, url]) => url as string)
}

// How long it takes is measured by the bench; here is what makes it short.
describe('start-up', () => {
  it.each(['--version', '--help'])(
    'of %s loads a few files of the command line, no core and no plugin',
    async (flag) => {
      const modules = await modulesOf(flag)
      expect(modules.length).toBeGreaterThan(1)
      expect(modules.length).toBeLessThan(15)
      expect(modules.filter((url) => !url.includes('/packages/cli/'))).toEqual([])
    },
  )

  it('of a command that needs an engine loads core', async () => {
    expect((await modulesOf('doctor')).some((url) => url.includes('/packages/core/'))).toBe(true)
  })

  it('of a command that is given a folder loads nothing that reads the configuration, be there one or not', async () => {
    const work = mkdtempSync(join(tmpdir(), 'bkp-start-up-'))
    const config = join(work, 'config.yaml')
    writeFileSync(config, 'version: 1\n')
    const readers = /bundle\/config\.js|\/(yaml|ajv|croner|age-encryption)\//
    const settings = { ...env, BKP_CONFIG: config }
    try {
      expect((await bkp(['init', '--to', join(work, 'r')], { env: settings })).stderr).not.toMatch(readers)
      expect((await bkp(['backup', config, '--to', join(work, 'r')], { env: settings })).stderr).not.toMatch(readers)
      expect((await bkp(['config', 'show'], { env: settings })).stderr).toMatch(readers)
    } finally {
      rmSync(work, { recursive: true })
    }
  })

  it('warns of nothing', async () => {
    for (const args of [['--version'], ['--help'], ['doctor']]) {
      expect((await bkp(args)).stderr).not.toMatch(/warning/i)
    }
  })
})
