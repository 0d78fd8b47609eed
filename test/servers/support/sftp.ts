import { mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Storage, StorageFactory, StorageRequest } from '@bkp/plugin-api'
import plugin from '@bkp/storage-sftp'
import type { OpenSsh } from './openssh.js'

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined }

/** Opens a URL by the built plugin, as core does. */
export async function openSftp(
  url: string,
  configuration: Readonly<Record<string, unknown>>,
  options: Partial<Pick<StorageRequest, 'intent' | 'confirm' | 'log'>> = {},
): Promise<Storage> {
  const factories = new Map<string, StorageFactory>()
  await plugin.activate({
    apiVersion: '1.1.0',
    log: silent,
    registerNotifier: () => undefined,
    registerStorage: (id, factory) => factories.set(id, factory),
  })
  const factory = factories.get('sftp')
  if (factory === undefined) throw new Error('The plugin has no storage sftp')
  return factory({ url, configuration, intent: 'open', log: silent, ...options })
}

/** What lets the user of the test in, whatever the machine's own ssh configuration says. */
export function accessTo(server: OpenSsh): Readonly<Record<string, unknown>> {
  const sshConfig = join(server.folder, 'ssh_config')
  writeFileSync(sshConfig, '')
  return { privateKey: server.privateKey, knownHosts: server.knownHosts, sshConfig, agent: 'none' }
}

/** A new empty folder on the server. */
export function newFolder(server: OpenSsh): string {
  return mkdtempSync(join(server.folder, 'repository-'))
}
