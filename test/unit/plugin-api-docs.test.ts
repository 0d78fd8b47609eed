import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { apiVersion } from '@bkp/plugin-api'
import { describe, expect, it } from 'vitest'
import { manifestPage } from '../../scripts/manifest-page.mjs'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))
const text = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

// Each starts a compiler.
const timeout = 240_000

describe('the surface of the packages that authors use', () => {
  it.each(['plugin-api', 'testkit'])(
    '%s exports what its report says; after a change: npm run api',
    { timeout },
    async (name) => {
      const code = `import { apiReport } from './scripts/api-report.mjs'
      console.log(JSON.stringify(apiReport(${JSON.stringify(name)}, { update: false })))`
      const { stdout } = await run(process.execPath, ['--input-type=module', '-e', code], { cwd: root })
      expect(JSON.parse(stdout)).toMatchObject({ changed: false, errors: 0 })
    },
  )

  it.each(['plugin-api', 'testkit'])('%s documents everything that it exports', (name) => {
    const report = text(`packages/${name}/etc/${name}.api.md`)
    const undocumented = [...report.matchAll(/^\/\/ @public \(undocumented\)\n(export .*)$/gm)].map(([, line]) => line)
    expect(undocumented).toEqual([])
  })

  it('is told in the changelog for the version that it has', () => {
    expect(text('packages/plugin-api/CHANGELOG.md')).toContain(`\n## ${apiVersion}\n`)
    expect(JSON.parse(text('packages/plugin-api/package.json')).version).toBe(apiVersion)
  })

  it('is the one of the reference; after a change: npm run docs:api', { timeout }, async () => {
    await run(process.execPath, ['docs/tools/typedoc.mjs', '--check'], { cwd: root })
  })
})

describe('the page on manifests', () => {
  it('is what the schema says; after a change: npm run docs:manifest', () => {
    expect(text('docs/plugins/manifest.md')).toBe(manifestPage())
  })
})
