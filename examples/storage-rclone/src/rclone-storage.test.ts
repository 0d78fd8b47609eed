import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Storage } from '@bkp/plugin-api'
import { describeStorage } from '@bkp/testkit'
import { openRcloneStorage } from './open-storage.js'

const log = { debug: () => undefined, info: () => undefined, warn: () => undefined }

describeStorage('rclone, a folder of this machine', {
  async open() {
    const folder = await mkdtemp(join(tmpdir(), 'bkp-rclone-test-'))
    await mkdir(join(folder, 'data'))
    await writeFile(join(folder, 'rclone.conf'), '[disk]\ntype = local\n')
    const url = `rclone:disk:${folder}/data/some where/repository`
    const configuration = { config: join(folder, 'rclone.conf') }
    const open = (intent: 'create' | 'open'): Promise<Storage> => openRcloneStorage({ url, configuration, intent, log })
    const storage = await open('create')
    const dispose = () => rm(folder, { recursive: true, force: true })
    return { storage, reopen: () => open('open'), dispose, url, configuration }
  },
  process: ({ url, configuration }) => ({
    entry: new URL('../dist/index.js', import.meta.url),
    id: 'rclone',
    url,
    configuration,
  }),
})
