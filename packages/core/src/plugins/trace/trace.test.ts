import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { apiVersion, type Logger, type PluginManifest } from '@bkp/plugin-api'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { tracePlugin } from './trace.js'

const work = mkdtempSync(join(tmpdir(), 'bkp-trace-'))
mkdirSync(join(work, 'node_modules/@bkp'), { recursive: true })
symlinkSync(
  fileURLToPath(new URL('../../../../plugin-api', import.meta.url)),
  join(work, 'node_modules/@bkp/plugin-api'),
)
writeFileSync(join(work, 'package.json'), '{ "type": "module" }')
afterAll(() => rmSync(work, { recursive: true, force: true }))

let said: string[]
const log: Logger = {
  debug: (text, details) => said.push(`debug ${text}${details === undefined ? '' : ` ${JSON.stringify(details)}`}`),
  info: (text) => said.push(`info ${text}`),
  warn: (text) => said.push(`warn ${text}`),
}
beforeEach(() => {
  said = []
})

/** Traces a plugin whose storage does that when it is activated. */
async function activating(code: string, limitMs?: number) {
  const main = `entry-${Math.random()}.js`
  const register = `context.registerStorage('odd', async () => ({}))`
  const entry = `import { definePlugin } from '@bkp/plugin-api'
export default definePlugin({ async activate(context) { ${code}; ${register} } })`
  writeFileSync(join(work, main), entry)
  return traced({ storage: [{ id: 'odd', schemes: ['odd'] }] }, main, limitMs)
}

async function loading(code: string, limitMs?: number) {
  const module = `codec-${Math.random()}.js`
  writeFileSync(join(work, module), `${code}\nexport default { id: 'odd' }`)
  return traced({ compression: [{ id: 'odd', module: `./${module}` }] }, 'none.js', limitMs)
}

async function traced(contributes: PluginManifest['contributes'], main: string, limitMs?: number) {
  const manifest = { api: `^${apiVersion}`, displayName: 'Odd', contributes }
  const plugin = { directory: work, packageName: 'bkp-odd', version: '1.0.0', main, manifest }
  const { contributions } = await tracePlugin(plugin, log, limitMs === undefined ? {} : { limitMs })
  expect(contributions).toHaveLength(1)
  return contributions[0]?.error
}

describe('a plugin that is traced', () => {
  it('works, and what it logs and prints is told', async () => {
    expect(await activating(`context.log.info('hello'); console.log('printed')`)).toBeUndefined()
    expect(said).toEqual(['info hello', expect.stringMatching(/^warn bkp-odd printed .*: printed$/)])
    expect(await loading(`import { writeSync } from 'node:fs'; writeSync(1, 'straight to the descriptor')`)).toBe(
      undefined,
    )
    expect(said.at(-1)).toBe('warn bkp-odd printed: straight to the descriptor')
  })

  it.each([
    ['throws', `throw new Error('inside')`, 'inside'],
    ['throws soon after', `setTimeout(() => { throw new Error('later') }, 1)`, 'later'],
    ['exits', 'process.exit(0)', 'it tried to end bkp by process.exit'],
    ['is killed', `process.kill(process.pid, 'SIGKILL')`, 'it ended its process with signal SIGKILL'],
    [
      'cuts its process off',
      `process.removeAllListeners(); process.disconnect()`,
      'it ended its process with exit code 0',
    ],
  ])('and %s is told of', async (_, code, reason) => {
    expect(await activating(code)).toBe(`The plugin bkp-odd failed: ${reason}`)
    expect(await loading(code)).toBe(`The plugin bkp-odd failed: ${reason}`)
  })

  it.each([
    ['loops', 'for (;;) new Array(1000).fill(1)'],
    ['waits', 'await new Promise(() => undefined)'],
  ])('and %s for ever is ended', async (_, code) => {
    const reason = 'The plugin bkp-odd failed: it did not come back within 1.5 s'
    expect(await activating(code, 1500)).toBe(reason)
    expect(await loading(code, 1500)).toBe(reason)
  })

  it('and starts a program that goes on keeps nobody waiting', async () => {
    const file = join(work, 'sleeper.mjs')
    writeFileSync(file, 'setTimeout(() => undefined, 20_000)')
    const spawn = `const { spawn } = await import('node:child_process')
const child = spawn(process.execPath, ['${file}'], { stdio: ['ignore', 'inherit', 'ignore'], detached: true })
child.unref(); context.log.info(String(child.pid))`
    const started = performance.now()
    expect(await activating(spawn)).toBeUndefined()
    expect(performance.now() - started).toBeLessThan(15_000)
    process.kill(Number(said[0]?.split(' ')[1]))
  })

  it('tells those who look for faults where an error came from', async () => {
    await loading(`throw new Error('inside', { cause: new Error('deeper') })`)
    expect(said[0]).toMatch(/debug what went wrong .*inside.*codec-.*deeper/)
  })

  it('is ended when somebody interrupts', async () => {
    const abort = new AbortController()
    setTimeout(() => abort.abort(new Error('Interrupted')), 300)
    const manifest = {
      api: '^1.0.0',
      displayName: 'Odd',
      contributes: { compression: [{ id: 'odd', module: './x.js' }] },
    }
    writeFileSync(join(work, 'x.js'), 'for (;;) Math.random()')
    const plugin = { directory: work, packageName: 'bkp-odd', version: '1.0.0', main: 'x.js', manifest }
    await expect(tracePlugin(plugin, log, { signal: abort.signal })).rejects.toThrow('Interrupted')
  })
})
