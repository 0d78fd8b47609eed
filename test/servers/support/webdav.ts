import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Storage, StorageRequest } from '@bkp/plugin-api'
import { describeStorage, openStorageOf } from '@bkp/testkit'
import type { WebServer } from './web-server.js'

export const webdavEntry = new URL('../../../plugins/storage-webdav/dist/bundle/index.js', import.meta.url)

/** Opens a storage by the built plugin, as core does. */
export async function openWebdav(
  url: string,
  configuration: StorageRequest['configuration'] = {},
  intent: StorageRequest['intent'] = 'open',
): Promise<Storage> {
  const plugin: unknown = ((await import(pathToFileURL(fileURLToPath(webdavEntry)).href)) as { default?: unknown })
    .default
  return openStorageOf(plugin, { id: 'webdav', url, configuration, intent })
}

export interface ServedFor {
  readonly server: () => WebServer
  readonly scheme?: 'webdav' | 'webdavs'
  readonly configuration?: () => StorageRequest['configuration']
  /** Left out where secrets would have to go to another process. */
  readonly process?: 'killed-writers'
}

/** The suite for all storages, each test in a folder of its own on this server. */
export function describeWebdav(
  name: string,
  { server, scheme = 'webdav', configuration = () => ({}), process }: ServedFor,
) {
  describeStorage(name, {
    async open() {
      const folder = `r-${randomBytes(6).toString('hex')}`
      const url = `${scheme}://127.0.0.1:${server().port}/some where/${folder}`
      const storage = await openWebdav(url, configuration(), 'create')
      const reopen = () => openWebdav(url, configuration())
      const dispose = () => rm(join(server().documents, 'some where', folder), { recursive: true, force: true })
      return { url, storage, reopen, dispose }
    },
    ...(process === undefined
      ? {}
      : {
          process: ({ url }: { url: string }) => ({
            entry: webdavEntry,
            id: 'webdav',
            url,
            configuration: configuration(),
          }),
        }),
  })
}
