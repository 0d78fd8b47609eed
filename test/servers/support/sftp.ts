import { mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Storage, StorageRequest } from '@bkp/plugin-api'
import plugin from '@bkp/storage-sftp'
import { openStorageOf } from '@bkp/testkit'
import type { OpenSsh } from './openssh.js'

/** Opens a URL by the built plugin, as core does. */
export function openSftp(
  url: string,
  configuration: Readonly<Record<string, unknown>>,
  options: Partial<Pick<StorageRequest, 'intent' | 'confirm' | 'log'>> = {},
): Promise<Storage> {
  return openStorageOf(plugin, { id: 'sftp', url, configuration, ...options })
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
