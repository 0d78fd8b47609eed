import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeStorage } from '@bkp/testkit'
import { openFolder } from './testing/open-folder.js'

describeStorage('local', {
  async open() {
    const root = await mkdtemp(join(tmpdir(), 'bkp-local-'))
    const reopen = () => openFolder(root)
    return { root, storage: await reopen(), reopen, dispose: () => rm(root, { recursive: true }) }
  },
  process: ({ root }) => ({
    entry: new URL('../dist/bundle/index.js', import.meta.url),
    id: 'local',
    url: root,
    configuration: {},
  }),
})
