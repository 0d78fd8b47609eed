import { execFileSync, spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const work = mkdtempSync(join(tmpdir(), 'bkp-house-'))
const biome = createRequire(import.meta.url).resolve('@biomejs/biome/bin/biome')

const forbidden = [
  ['packages/plugin-api/src', '@bkp/core'],
  ['packages/plugin-api/src', 'tsyringe'],
  ['packages/core/src/engine', '@bkp/storage-local'],
  ['packages/core/src/engine', 'bkp'],
  ['packages/core/src/engine', '@oclif/core'],
  ['packages/core/src/errors', '../format/ids.js'],
  ['packages/core/src/errors', '@bkp/storage-local'],
  ['packages/core/src/format', '@bkp/storage-local'],
  ['packages/core/src/format', '../repository/codecs.js'],
  ['packages/core/src/format', '../engine/api.js'],
  ['packages/core/src/repository', '../engine/api.js'],
  ['packages/core/src/repository', '@oclif/core'],
  ['packages/core/src/hash', '../engine/api.js'],
  ['packages/core/src/chunker', '../engine/api.js'],
  ['packages/core/src/plugins', '../engine/api.js'],
  ['packages/core/src/config', '../engine/api.js'],
  ['packages/testkit/src/storage', '@bkp/core'],
  ['plugins/storage-local/src', '@bkp/core'],
  ['plugins/storage-local/src', '@bkp/source-fs'],
  ['packages/cli/src/commands', '@bkp/storage-local'],
  ['examples/source-git/src', '@bkp/core'],
] as const

const allowed = [
  ['packages/core/src/engine', '@bkp/plugin-api'],
  ['packages/core/src/format', '../errors/index.js'],
  ['packages/core/src/repository', '../format/ids.js'],
  ['packages/testkit/src/storage', '@bkp/plugin-api'],
  ['plugins/storage-local/src', '@bkp/plugin-api'],
  ['packages/cli/src/commands', '@bkp/core'],
  ['examples/source-git/src', '@bkp/testkit'],
] as const

const fileOf = (folder: string, name: string, n: number) => `${folder}/offender-${n}-${name.replace(/\W+/g, '-')}.ts`

describe('the directions of imports', () => {
  let refused: Set<string>

  beforeAll(() => {
    copyFileSync(join(root, 'biome.json'), join(work, 'biome.json'))
    for (const [n, [folder, name]] of [...forbidden, ...allowed].entries()) {
      const file = join(work, fileOf(folder, name, n))
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, `import * as imported from '${name}'\nexport { imported }\n`)
    }
    const { stdout, stderr } = spawnSync(
      process.execPath,
      [biome, 'lint', '--vcs-enabled=false', '--max-diagnostics=none', '--reporter=github', '.'],
      { cwd: work, encoding: 'utf8' },
    )
    const found = [...stdout.matchAll(/noRestrictedImports.*?file=([^,]+),/g)].map(([, file]) => file as string)
    refused = new Set(found.map((file) => file.replace(/^.*?\/(packages|plugins|examples)\//, '$1/')))
    expect(refused.size, stdout + stderr).toBeGreaterThan(0)
  })
  afterAll(() => rmSync(work, { recursive: true }))

  it.each(forbidden.map(([folder, name], n) => ({ folder, name, file: fileOf(folder, name, n) })))(
    '$folder must not import $name',
    ({ file }) => expect([...refused]).toContain(file),
  )

  it.each(allowed.map(([folder, name], n) => ({ folder, name, file: fileOf(folder, name, forbidden.length + n) })))(
    '$folder may import $name',
    ({ file }) => expect([...refused]).not.toContain(file),
  )
})

describe('files', () => {
  it('have at most 400 lines', () => {
    const files = execFileSync('git', ['ls-files', '*.ts', '*.mjs'], { cwd: root, encoding: 'utf8' }).trim().split('\n')
    expect(files.length).toBeGreaterThan(100)
    const lines = (file: string) => readFileSync(join(root, file), 'utf8').split('\n').length
    expect(files.filter((file) => !file.endsWith('wasm-bytes.ts') && lines(file) > 400)).toEqual([])
  })
})
