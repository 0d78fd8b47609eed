import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Logger } from '@bkp/plugin-api'
import { activate } from './activate.js'
import type { InstalledPlugin } from './manifest.js'

/** One contribution, tried. */
export interface ContributionTrace {
  readonly port: string
  readonly id: string
  readonly ms: number
  /** Why it does not work. */
  readonly error?: string
}

/** What a plugin does when it is used, with times in milliseconds. */
export interface PluginTrace {
  /** Reading and hashing all files; 0 for a linked one. */
  readonly verifyMs: number
  readonly contributions: readonly ContributionTrace[]
}

const workerPorts = ['compression', 'encryption', 'source'] as const

/**
 * Verifies a plugin, then runs its code: activates its entry, and imports the modules that threads would import.
 * @throws BkpError `plugin-refused`, before any of its code runs
 */
export async function tracePlugin(plugin: InstalledPlugin, log: Logger): Promise<PluginTrace> {
  const started = performance.now()
  plugin.verify?.()
  const verifyMs = plugin.verify === undefined ? 0 : performance.now() - started
  const { contributes } = plugin.manifest
  const contributions: ContributionTrace[] = []
  const activated = ['storage', 'notifier'] as const
  const declared = activated.flatMap((port) => (contributes[port] ?? []).map(({ id }) => ({ port, id })))
  if (declared.length > 0) {
    const { ms, ...failure } = await timed(() => activate(plugin, log))
    contributions.push(...declared.map((one) => ({ ...one, ms, ...failure })))
  }
  for (const port of workerPorts)
    for (const { id, module } of contributes[port] ?? []) {
      const tried = await timed(async () => {
        const url = pathToFileURL(join(plugin.directory, module)).href
        const { default: loaded } = (await import(url)) as { readonly default?: { readonly id?: unknown } }
        if (loaded?.id !== id) throw new TypeError(`its default export has the id "${String(loaded?.id)}"`)
      })
      contributions.push({ port, id, ...tried })
    }
  return { verifyMs, contributions }
}

async function timed(action: () => Promise<unknown>): Promise<{ readonly ms: number; readonly error?: string }> {
  const started = performance.now()
  const error = await action().then(
    () => undefined,
    (reason: unknown) => (reason instanceof Error ? reason.message : String(reason)),
  )
  const ms = performance.now() - started
  return error === undefined ? { ms } : { ms, error }
}
