import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { PluginManager } from '../plugins/plugin-manager.js'
import { type RunCommandOptions, runCommand } from '../testing/run-command.js'
import { violations } from '../testing/schemas.js'

let work: string
let options: RunCommandOptions

beforeEach(() => {
  work = mkdtempSync(join(tmpdir(), 'bkp-plugins-'))
  const folder = join(work, 'folder')
  mkdirSync(folder)
  const contributes = { compression: [{ id: 'odd', module: './codec.js' }] }
  const bkp = { api: '^1.0.0', displayName: 'Odd', contributes }
  const packageJson = { name: 'bkp-odd', version: '1.2.3', type: 'module', bkp }
  writeFileSync(join(folder, 'package.json'), JSON.stringify(packageJson))
  writeFileSync(join(folder, 'codec.js'), "export default { id: 'odd', create: () => ({}) }\n")
  options = {
    answers: [],
    createPluginManager: async () =>
      new PluginManager({
        dataDirectory: join(work, 'data'),
        bundled: async () => [],
        reserved: ['bkp'],
        pluginApi: '/nonexistent',
        env: {},
        now: () => Date.parse('2026-11-24T00:00:00Z'),
      }),
  }
})

afterEach(() => rmSync(work, { recursive: true, force: true }))

const run = (...argv: string[]) => runCommand(argv, options)
const link = () => run('plugins:link', join(work, 'folder'), '--json')

describe('commands for plugins', () => {
  it('print JSON that fits the published schemas', async () => {
    const steps: [string, string[]][] = [
      ['link', [join(work, 'folder')]],
      ['list', []],
      ['inspect', ['bkp-odd']],
      ['inspect', ['bkp-odd', '--trace']],
      ['audit', []],
      ['update', []],
      ['uninstall', ['bkp-odd']],
      ['list', []],
    ]
    for (const [command, args] of steps) {
      const ran = await run(`plugins:${command}`, ...args, '--json')
      expect(ran.exitCode).toBe(0)
      expect(violations(`plugins-${command}.json`, ran.json()[0])).toEqual([])
    }
  })

  it('asks with no as the answer, and keeps what is for people off standard output when that is JSON', async () => {
    options = { ...options, confirms: [false] }
    const refused = await link()
    expect(refused.exitCode).toBe(1)
    expect(refused.questions[0]).toContain('Link bkp-odd')
    expect(refused.json()).toMatchObject([{ error: { code: 'failure', message: 'Nothing was changed' } }])
    expect(refused.stderr).toContain('compression odd')
  })

  it('tells what a traced plugin registers, and fails when that does not work', async () => {
    await link()
    expect((await run('plugins:inspect', 'bkp-odd', '--trace')).stdout).toMatch(/compression +odd +[\d.]+ ms +works/)
    appendFileSync(join(work, 'folder/codec.js'), '\nthrow new Error("broken inside")\n')
    writeFileSync(
      join(work, 'folder/package.json'),
      JSON.stringify({
        name: 'bkp-odd',
        version: '1.2.4',
        type: 'module',
        exports: './codec.js',
        bkp: { api: '^1.0.0', displayName: 'Odd', contributes: { storage: [{ id: 'odd', schemes: ['odd'] }] } },
      }),
    )
    const ran = await run('plugins:inspect', 'bkp-odd', '--trace')
    expect(ran.exitCode).toBe(1)
    expect(ran.stdout).toMatch(/storage +odd .*fail|definePlugin|broken/)
  })

  it('tells the options that a plugin takes', async () => {
    const token = { type: 'string', 'x-bkp-secret': true, 'x-bkp-env': 'ODD_TOKEN', description: 'whatever is odd' }
    const configuration = { type: 'object', properties: { token } }
    const contributes = { storage: [{ id: 'odd', schemes: ['odd'], configuration }] }
    const bkp = { api: '^1.0.0', displayName: 'Odd', contributes }
    const packageJson = { name: 'bkp-odd', version: '1.2.3', type: 'module', exports: './codec.js', bkp }
    writeFileSync(join(work, 'folder/package.json'), JSON.stringify(packageJson))
    await link()
    const { stdout } = await run('plugins:inspect', 'bkp-odd')
    expect(stdout).toMatch(/storage odd +token +whatever is odd \(secret, else from ODD_TOKEN\)/)
  })

  it('shows native code and install scripts of what a linked plugin depends on', async () => {
    const folder = join(work, 'folder')
    const json = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as object
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ ...json, dependencies: { addon: '1.0.0' } }))
    mkdirSync(join(folder, 'node_modules/addon'), { recursive: true })
    const addon = { name: 'addon', version: '1.0.0', scripts: { install: 'x' } }
    writeFileSync(join(folder, 'node_modules/addon/package.json'), JSON.stringify(addon))
    writeFileSync(join(folder, 'node_modules/addon/addon.node'), '')
    expect((await link()).stderr).toMatch(/native code +node_modules\/addon\/addon\.node \(NOT declared/)
    expect((await run('plugins:inspect', 'bkp-odd')).stdout).toContain(
      'addon (install): bkp runs none of a linked folder',
    )
  })

  it('says that a linked plugin has no files to approve, and that one is not there', async () => {
    await link()
    expect((await run('plugins:approve', 'bkp-odd')).stderr).toContain('linked')
    for (const command of ['approve', 'inspect', 'uninstall', 'update'])
      expect(await run(`plugins:${command}`, 'bkp-none')).toMatchObject({ exitCode: 2 })
  })
})
