import {
  type Approval,
  homeOf,
  type InstalledPlugin,
  integrityOf,
  listFiles,
  PluginLogs,
  type TraceOptions,
  tracePlugin,
} from '@bkp/core/plugins'
import type { PluginManifest } from '@bkp/plugin-api'
import type { CommandLog } from '../composition/command-log.js'
import type { PluginState } from './plugin-json.js'
import type { PluginManager } from './plugin-manager.js'

export interface InspectedPlugin {
  readonly name: string
  readonly version: string | null
  readonly state: PluginState
  /** Why it is refused. */
  readonly message: string | null
  readonly directory: string
  /** Hash of all its files as they are; null for a linked one. */
  readonly integrity: string | null
  readonly files: number | null
  readonly sizeBytes: number | null
  /** Modules that bkp imports, inside of the package. */
  readonly loads: readonly string[]
  readonly manifest: PluginManifest | null
  readonly approval: Approval | null
}

/** @returns undefined when it is not there */
export async function inspectPlugin(manager: PluginManager, name: string): Promise<InspectedPlugin | undefined> {
  const { plugins, faulty: refused } = await manager.approved()
  const plugin = plugins.find(({ packageName }) => packageName === name)
  const refusal = refused.find(({ packageName }) => packageName === name)?.error
  if (plugin === undefined && refusal === undefined) return undefined
  const approval = (await manager.approvals().catch(() => [])).find((one) => one.name === name) ?? null
  const directory = plugin?.directory ?? approval?.path ?? homeOf(manager.dataDirectory, name)
  const found = approval?.kind === 'linked' ? undefined : filesOf(homeOf(manager.dataDirectory, name))
  const failure = refusal ?? failureOf(plugin)
  return {
    name,
    version: plugin?.version ?? approval?.version ?? null,
    state: failure !== undefined ? 'refused' : approval?.kind === 'linked' ? 'linked' : 'approved',
    message: failure?.message ?? null,
    directory,
    integrity: found?.integrity ?? null,
    files: found?.count ?? null,
    sizeBytes: found?.bytes ?? null,
    loads: plugin === undefined ? [] : modulesOf(plugin),
    manifest: plugin?.manifest ?? null,
    approval,
  }
}

export type TracedPlugin = Awaited<ReturnType<typeof tracePlugin>>

/** Runs the code of a plugin, after its files were verified. */
export async function trace(
  manager: PluginManager,
  name: string,
  log: CommandLog,
  options: TraceOptions,
): Promise<TracedPlugin> {
  const { plugins } = await manager.approved()
  const plugin = plugins.find(({ packageName }) => packageName === name) as InstalledPlugin
  // It is given no secrets.
  return tracePlugin(plugin, new PluginLogs(log, [], log.onLine).of(name), options)
}

/** Why its files are not what was approved. */
export function failureOf(plugin: InstalledPlugin | undefined): Error | undefined {
  try {
    plugin?.verify?.()
    return undefined
  } catch (error) {
    return error as Error
  }
}

function filesOf(home: string) {
  try {
    const list = listFiles(home)
    return { count: list.count, bytes: list.bytes, integrity: integrityOf(list) }
  } catch {
    // Why they cannot be read is said by the refusal.
    return undefined
  }
}

function modulesOf({ main, manifest: { contributes } }: InstalledPlugin): readonly string[] {
  const { storage = [], notifier = [], compression = [], encryption = [], source = [] } = contributes
  const workers = [...compression, ...encryption, ...source].map(({ module }) => module)
  return [...(storage.length + notifier.length === 0 ? [] : [main]), ...new Set(workers)]
}
