import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Engine } from '@bkp/core'
import type { IdleThread } from '@bkp/core/threads'
import type { Logger } from '@bkp/plugin-api'
import { UsageError } from '../errors/cli-error.js'

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

/** An engine over the built-in plugins. */
export async function createBuiltInEngine(
  env: Record<string, string | undefined>,
  log: Logger,
  takeIdleThreads: () => readonly IdleThread[],
): Promise<Engine> {
  const { createEngine } = await import('@bkp/core')
  const bundledPluginDirectories = builtInPlugins.map((name) =>
    dirname(fileURLToPath(import.meta.resolve(`${name}/package.json`))),
  )
  const workers = workersOf(env)
  return createEngine(
    { pluginDirectories: [], bundledPluginDirectories, takeIdleThreads, ...(workers === undefined ? {} : { workers }) },
    log,
  )
}

const mostWorkers = 64

function workersOf({ BKP_WORKERS: given }: Record<string, string | undefined>): number | undefined {
  if (given === undefined || given === '') return undefined
  const workers = Number(given)
  if (Number.isInteger(workers) && workers >= 1 && workers <= mostWorkers) return workers
  throw new UsageError(`BKP_WORKERS is "${given}"`, `Give a number of threads from 1 to ${mostWorkers}, or unset it`)
}
