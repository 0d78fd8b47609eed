import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Engine } from '@bkp/core'

/** The plugins that come with bkp. The only place that names them. */
export const builtInPlugins = [
  '@bkp/storage-local',
  '@bkp/source-fs',
  '@bkp/source-command',
  '@bkp/codec-zstd',
  '@bkp/codec-deflate',
  '@bkp/cipher-aes-gcm',
  '@bkp/cipher-xchacha20',
]

/** The command line's composition root: an engine over the built-in plugins. */
export async function composeEngine(): Promise<Engine> {
  const { createEngine } = await import('@bkp/core')
  const directories = builtInPlugins.map((name) => dirname(fileURLToPath(import.meta.resolve(`${name}/package.json`))))
  const workers = Number(process.env.BKP_WORKERS)
  const warn = (message: string) => process.stderr.write(`Warning: ${message}\n`)
  const log = { debug: () => undefined, info: () => undefined, warn }
  return createEngine({ pluginDirectories: directories, ...(workers > 0 ? { workers } : {}) }, log)
}
