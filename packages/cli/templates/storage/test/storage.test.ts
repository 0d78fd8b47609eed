import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describeStorage, expectPortRejection, openStorageOf } from '@bkp/testkit'
import { describe, expect, it } from 'vitest'
import plugin from '../src/index.js'

const urlOf = (folder: string) => pathToFileURL(folder).href.replace(/^file:/, '{{id}}:')
const newFolder = () => mkdtemp(join(tmpdir(), 'plugin-'))

describeStorage('{{id}}', {
  async open() {
    const root = await newFolder()
    const reopen = () => openStorageOf(plugin, { url: urlOf(root) })
    return { root, storage: await reopen(), reopen, dispose: () => rm(root, { recursive: true }) }
  },
  // This process is killed while it writes. It runs what was built.
  process: ({ root }) => ({
    entry: new URL('../dist/index.js', import.meta.url),
    id: '{{id}}',
    url: urlOf(root),
    configuration: {},
  }),
})

describe('a folder', () => {
  it('is made for a new repository only', async () => {
    const parent = await newFolder()
    const url = urlOf(join(parent, 'new', 'repository'))
    await expectPortRejection('not-found', () => openStorageOf(plugin, { url }))
    const storage = await openStorageOf(plugin, { url, intent: 'create' })
    await storage.put('one', new Uint8Array(3))
    expect(await readdir(join(parent, 'new', 'repository'))).toContain('one')
    await rm(parent, { recursive: true })
  })

  it('has to be named', () => expectPortRejection('config', () => openStorageOf(plugin, { url: '{{id}}://host' })))
})
