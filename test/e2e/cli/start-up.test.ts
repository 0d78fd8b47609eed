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

  it('warns of nothing', async () => {
    for (const args of [['--version'], ['--help'], ['doctor']]) {
      expect((await bkp(args)).stderr).not.toMatch(/warning/i)
    }
  })
})
