import type { Logger } from '@bkp/plugin-api'
import { activationLimitMs } from '../containment/activation-limit.js'
import type { InstalledPlugin } from '../manifest.js'
import type { TraceUnit } from './protocol.js'
import { tryInProcess } from './try-in-process.js'

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

export interface TraceOptions {
  /** For each thing that is tried; by default a little more than a plugin has in a run. */
  readonly limitMs?: number
  readonly signal?: AbortSignal
}

const workerPorts = ['compression', 'encryption', 'source'] as const
const marginMs = 5_000

/**
 * Verifies a plugin, then runs its code: activates its entry, and imports the modules that threads would import, each in a
 * process of its own. Whatever it does there is told as an error of what was tried; what it prints and logs goes to the log.
 *
 * @throws BkpError `plugin-refused`, before any of its code runs; the reason of the signal
 */
export async function tracePlugin(
  plugin: InstalledPlugin,
  log: Logger,
  { limitMs = activationLimitMs + marginMs, signal }: TraceOptions = {},
): Promise<PluginTrace> {
  const started = performance.now()
  plugin.verify?.()
  const verifyMs = plugin.verify === undefined ? 0 : performance.now() - started
  const { contributes } = plugin.manifest
  const contributions: ContributionTrace[] = []
  const tried = (unit: TraceUnit) => tryInProcess(plugin, unit, log, limitMs, signal)
  const activated = ['storage', 'notifier'] as const
  const declared = activated.flatMap((port) => (contributes[port] ?? []).map(({ id }) => ({ port, id })))
  if (declared.length > 0) {
    const outcome = await tried({ kind: 'entry' })
    contributions.push(...declared.map((one) => ({ ...one, ...outcome })))
  }
  for (const port of workerPorts)
    for (const { id, module } of contributes[port] ?? [])
      contributions.push({ port, id, ...(await tried({ kind: 'module', port, id, module })) })
  return { verifyMs, contributions }
}
