import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeSource, expectPortRejection, silentLog } from '@bkp/testkit'
import { describe, it } from 'vitest'
import source from '../src/index.js'

const texts = { 'letter.txt': 'Dear Ann,\nall is well.\n'.repeat(500), 'ünï code': 'ü', empty: '' }

describeSource(source, {
  sizes: 'known',
  ranges: 'anywhere',
  directories: 'listed',
  prepare() {
    const folder = mkdtempSync(join(tmpdir(), 'plugin-'))
    const file = join(folder, 'texts.json')
    writeFileSync(file, JSON.stringify(texts))
    return {
      configuration: { file },
      files: Object.entries(texts).map(([name, text]) => ({ path: `/${name}`, content: Buffer.from(text) })),
      directories: [{ path: '/', names: Object.keys(texts) }],
      missing: '/nothing',
      dispose: () => rmSync(folder, { recursive: true }),
    }
  },
})

describe('the configuration', () => {
  it('names a file', () =>
    expectPortRejection('config', async () => source.openSource({ configuration: {}, log: silentLog })))
})
