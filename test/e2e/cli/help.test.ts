import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { bkp } from '../../support/run-bkp.js'

const sources = new URL('../../../packages/cli/src/commands/', import.meta.url)
const commands = readdirSync(sources)
  .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
  .map((name) => name.slice(0, -'.ts'.length))

describe('help', () => {
  it('of bkp lists all commands', async () => {
    const { code, stdout, stderr } = await bkp(['--help'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    for (const command of commands) expect(stdout).toMatch(new RegExp(`^  ${command} `, 'm'))
    expect(stdout.replace(/bkp\/\S+ \S+ node-\S+/, 'bkp/VERSION PLATFORM NODE')).toMatchSnapshot()
  })

  it.each(commands)('of %s has examples and is what was reviewed', async (command) => {
    const { code, stdout, stderr } = await bkp([command, '--help'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain('EXAMPLES')
    expect(stdout).toMatchSnapshot()
  })

  it('is the same by "bkp help", and without any command', async () => {
    expect((await bkp(['help', 'ls'])).stdout).toBe((await bkp(['ls', '--help'])).stdout)
    expect((await bkp([])).stdout).toBe((await bkp(['--help'])).stdout)
  })
})
