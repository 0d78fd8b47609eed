import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { bkp } from '../../support/run-bkp.js'
import { packDemo, writeDemo } from './support/demo-plugin.js'

// Twenty installations, one after the other.
vi.setConfig({ hookTimeout: 120_000 })

const work = mkdtempSync(join(tmpdir(), 'bkp-many-'))
const at = (...names: string[]) => join(work, ...names)
const ran = at('ran')
const env = { BKP_DATA_DIR: at('data'), DEMO_RAN: ran }
const run = async (...args: string[]) => {
  const done = await bkp(args, { env })
  expect(done).toMatchObject({ code: 0 })
  return done.stdout
}
const ids = (n: number) => ({ name: `bkp-demo-${n}`, scheme: `demo${n}`, compression: `demo-brotli-${n}` })

// How long it takes is measured by the bench; here is what makes it short.
beforeAll(async () => {
  for (let n = 0; n < 18; n++) {
    writeDemo(at(`linked-${n}`), ids(n))
    await run('plugins:link', at(`linked-${n}`), '--yes', '--name', ids(n).name)
  }
  for (const n of [18, 19]) {
    const { path, integrity } = packDemo(at(`installed-${n}`), ids(n))
    await run('plugins:install', path, '--yes', '--integrity', integrity)
  }
  await run('init', '--to', at('repository'))
})
afterAll(() => rmSync(work, { recursive: true }))

it('none of twenty plugins runs for commands that need none of them', async () => {
  const { plugins } = JSON.parse(await run('plugins', 'list', '--json')) as { plugins: { name: string }[] }
  expect(plugins.filter(({ name }) => name.startsWith('bkp-demo-'))).toHaveLength(20)
  await run('--version')
  await run('snapshots', '--from', at('repository'))
  await run('backup', at('linked-0', 'package.json'), '--to', at('repository'))
  expect(existsSync(ran)).toBe(false)
})

it('the one that is needed runs, alone', async () => {
  await run('init', '--to', `demo19://disk${at('elsewhere')}`)
  expect(readFileSync(ran, 'utf8')).toBe('storage\n')
})
