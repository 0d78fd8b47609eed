import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { bkp } from '../../support/run-bkp.js'

const sources = new URL('../../../packages/cli/src/commands/', import.meta.url)
const commands = readdirSync(sources, { encoding: 'utf8', recursive: true })
  .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
  .map((name) => name.slice(0, -'.ts'.length).replace('/', ' '))

describe('help', () => {
  it('of bkp lists all commands', async () => {
    const { code, stdout, stderr } = await bkp(['--help'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    for (const command of commands) expect(stdout).toMatch(new RegExp(`^  ${command.split(' ')[0]} `, 'm'))
    expect(stdout.replace(/bkp\/\S+ \S+ node-\S+/, 'bkp/VERSION PLATFORM NODE')).toMatchSnapshot()
  })

  it.each(commands)('of %s has examples and is what was reviewed', async (command) => {
    const { code, stdout, stderr } = await bkp([...command.split(' '), '--help'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain('EXAMPLES')
    expect(stdout).toMatchSnapshot()
  })

  it.each(['config', 'destinations'])('of %s lists its commands', async (topic) => {
    const { code, stdout } = await bkp([topic, '--help'])
    expect(code).toBe(0)
    for (const command of commands.filter((name) => name.startsWith(`${topic} `)))
      expect(stdout).toContain(`  ${command} `)
  })

  it('is the same by "bkp help", and without any command', async () => {
    expect((await bkp(['help', 'ls'])).stdout).toBe((await bkp(['ls', '--help'])).stdout)
    expect((await bkp(['help', 'config', 'show'])).stdout).toBe((await bkp(['config:show', '--help'])).stdout)
    expect((await bkp([])).stdout).toBe((await bkp(['--help'])).stdout)
  })
})
