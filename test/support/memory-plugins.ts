import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

const folderOf = (plugin: string) => dirname(fileURLToPath(import.meta.resolve(`${plugin}/package.json`)))

/**
 * Folders of what an engine needs to back files up into storages that a test makes itself. They are given to it as its own: a
 * stranger's storage would run in another thread, out of the test's reach.
 */
export const memoryPluginDirectories: readonly string[] = [
  folderOf('@bkp/source-fs'),
  folderOf('@bkp/cipher-aes-gcm'),
  fileURLToPath(new URL('./memory-storage-plugin', import.meta.url)),
]
