import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, it } from 'vitest'
import { bkp } from '../../support/run-bkp.js'

const plugin = 'bkp-test-misbehaving'
const work = mkdtempSync(join(tmpdir(), 'bkp-trace-'))
afterAll(() => rmSync(work, { recursive: true, force: true }))

interface Traced {
  readonly trace: { readonly contributions: readonly { readonly id: string; readonly error?: string }[] }
}

it('a plugin that exits while it is traced is told of among those parts that work, as JSON and for people', async () => {
  const folder = fileURLToPath(new URL('./misbehaving', import.meta.url))
  const env = { BKP_DATA_DIR: join(work, 'data') }
  expect(await bkp(['plugins:link', folder, '--yes', '--name', plugin], { env })).toMatchObject({ code: 0 })
  const ran = await bkp(['plugins:inspect', plugin, '--trace', '--json'], { env })
  expect(ran.code, ran.stderr).toBe(1)
  const { contributions } = (JSON.parse(ran.stdout) as Traced).trace
  expect(contributions.length).toBeGreaterThan(10)
  expect(contributions.filter(({ error }) => error !== undefined)).toEqual([
    expect.objectContaining({
      id: 'bad-at-import',
      error: `The plugin ${plugin} failed: it tried to end bkp by process.exit`,
    }),
  ])
  const shown = await bkp(['plugins:inspect', plugin, '--trace'], { env: { ...env, DEBUG: 'bkp:*' } })
  expect(shown.code).toBe(1)
  expect(shown.stdout).toMatch(/encryption +bad-at-import +[\d.]+ ms +The plugin .* tried to end bkp by process.exit/)
  expect(shown.stderr).toContain(`bkp:plugin:${plugin} debug: activated {"api":"1.1.0"}`)
})
