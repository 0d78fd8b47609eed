import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const docs = fileURLToPath(new URL('../../docs/', import.meta.url))
const folder = `${docs}examples/migrate/`
const scripts = readdirSync(folder)

describe('the scripts of docs/migrate.md', () => {
  const page = readFileSync(`${docs}migrate.md`, 'utf8')
  const shown = [...page.matchAll(/^```bash\n(.*?)^```$/gms)].map(([, text]) => text)

  it('are those that are tested, word for word', () => {
    expect(scripts).toHaveLength(3)
    expect(shown).toHaveLength(scripts.length)
    for (const name of scripts) expect(shown).toContain(readFileSync(`${folder}${name}`, 'utf8'))
  })

  it.each(scripts)('%s can be parsed, and stops at errors', (name) => {
    const { status, stderr } = spawnSync('bash', ['-n', `${folder}${name}`], { encoding: 'utf8' })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(readFileSync(`${folder}${name}`, 'utf8')).toContain('set -euo pipefail')
  })
})
