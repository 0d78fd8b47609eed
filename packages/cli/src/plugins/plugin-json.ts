import type { Approval } from '@bkp/core/plugins'
import { failureOf } from './inspect-plugin.js'
import type { PluginFacts } from './plugin-facts.js'
import type { PluginManager } from './plugin-manager.js'

/** An approved plugin, in JSON. */
export function approvalJson({ name, version, kind, source, path, integrity, approved, shown }: Approval) {
  const { ports = {}, schemes = [] } = shown as Partial<PluginFacts>
  return {
    name,
    version,
    kind,
    source: source.spec,
    path: path ?? null,
    integrity: integrity ?? null,
    approved,
    ports,
    schemes,
  }
}

/** `refused`: it is there, and is not used. */
export type PluginState = 'approved' | 'linked' | 'refused'

export interface ListedPlugin {
  readonly name: string
  readonly version: string | null
  readonly state: PluginState
  readonly source: string | null
  readonly approved: string | null
  readonly ports: Readonly<Record<string, readonly string[]>>
  /** Why it is refused. */
  readonly message?: string
}

/** All plugins that are there or were approved, in order of their names. Reads all their files, as every use of them does. */
export async function listPlugins(manager: PluginManager): Promise<readonly ListedPlugin[]> {
  const approved = await manager.approved()
  const verified = approved.plugins.map((plugin) => ({ ...plugin, error: failureOf(plugin) }))
  const plugins = verified.filter(({ error }) => error === undefined)
  const refused = [
    ...approved.faulty,
    ...verified.flatMap(({ error, ...plugin }) => (error ? [{ ...plugin, error }] : [])),
  ]
  // Where the lock file cannot be trusted everything is refused, and each says why.
  const approvals =
    approved.faulty.length > 0 && approved.plugins.length === 0
      ? await manager.approvals().catch(() => [])
      : await manager.approvals()
  const of = (name: string) => approvals.find((approval) => approval.name === name)
  const common = (name: string) => ({
    name,
    version: of(name)?.version ?? null,
    source: of(name)?.source.spec ?? null,
    approved: of(name)?.approved ?? null,
  })
  const listed: ListedPlugin[] = [
    ...plugins.map(({ packageName, manifest, version }) => ({
      ...common(packageName),
      version,
      state: of(packageName)?.kind === 'linked' ? ('linked' as const) : ('approved' as const),
      ports: idsOf(manifest.contributes),
    })),
    ...refused.map(({ packageName, error, manifest }) => ({
      ...common(packageName),
      state: 'refused' as const,
      ports: idsOf(contributesOf(manifest)),
      message: error.message,
    })),
  ]
  return listed.sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** Of a manifest that may not be valid. */
function contributesOf(manifest: unknown): object {
  const { contributes } = (manifest ?? {}) as { readonly contributes?: unknown }
  const ports = Object.entries((contributes ?? {}) as object)
  return Object.fromEntries(
    ports.filter(([, list]) => Array.isArray(list) && list.every((one) => one?.id !== undefined)),
  )
}

function idsOf(contributes: object): Record<string, readonly string[]> {
  const ports = Object.entries(contributes) as [string, readonly { readonly id: string }[]][]
  return Object.fromEntries(ports.map(([port, list]) => [port, list.map(({ id }) => id)]))
}
