import { writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeSource, expectPortRejection, textLikeBytes } from '@bkp/testkit'
import { describe, it } from 'vitest'
import command from './index.js'
import stdin from './stdin.js'

const content = textLikeBytes(1_500_000)
const log = { debug: () => undefined, info: () => undefined, warn: () => undefined }

describeSource(command, {
  sizes: 'unknown',
  ranges: 'none',
  directories: 'none',
  async prepare() {
    const folder = await mkdtemp(join(tmpdir(), 'bkp-command-'))
    const file = join(folder, 'content')
    writeFileSync(file, content)
    return {
      configuration: { command: `cat '${file}'`, name: 'db.sql' },
      files: [{ path: '/db.sql', content }],
      directories: [],
      missing: '/stdin',
      dispose: () => rm(folder, { recursive: true }),
    }
  },
})

describe('the configuration of the sources', () => {
  it.each([{}, { command: '' }, { command: 7 }])('refuses %j for a program', (configuration) =>
    expectPortRejection('config', () => command.openSource({ configuration, log })),
  )

  it.each(['', '.', '..', 'a/b', 'a\0b', 7])('refuses the name %j', async (name) => {
    await expectPortRejection('config', () => stdin.openSource({ configuration: { name }, log }))
    await expectPortRejection('config', () => command.openSource({ configuration: { name, command: 'true' }, log }))
  })
})
