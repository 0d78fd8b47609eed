import { homeOf } from '@bkp/core/plugins'
import { listPlugins, type PluginState } from './plugin-json.js'
import type { PluginManager } from './plugin-manager.js'

export interface AuditedPlugin {
  readonly name: string
  readonly version: string | null
  readonly state: PluginState
  readonly isSound: boolean
  /** Why it is refused. */
  readonly message: string | null
  /** What the registry says; null where it was not asked. */
  readonly registry: string | null
}

/** Verifies all files of all plugins. */
export async function auditPlugins(
  manager: PluginManager,
  depth: 'files' | 'registry',
  signal: AbortSignal,
): Promise<readonly AuditedPlugin[]> {
  const audited: AuditedPlugin[] = []
  for (const { name, version, state, message } of await listPlugins(manager)) {
    const reason = message ?? null
    const isAsked = depth === 'registry' && state === 'approved'
    const answer = isAsked ? await manager.askRegistry(homeOf(manager.dataDirectory, name), signal) : null
    audited.push({
      name,
      version,
      state,
      isSound: reason === null && answer?.isSound !== false,
      message: reason,
      registry: answer?.text ?? null,
    })
  }
  return audited
}
