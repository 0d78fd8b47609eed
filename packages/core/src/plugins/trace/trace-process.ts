import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { inspect } from 'node:util'
import { sendingLogger } from '../../log/plugin-logs.js'
import { activate } from '../activate.js'
import { withinActivation } from '../containment/activation-limit.js'
import { PluginGuard } from '../containment/plugin-guard.js'
import { watchProcess } from '../containment/process-guards.js'
import type { TraceMessage, TraceOrder } from './protocol.js'

// The process in which `tracePlugin` tries something of a plugin: contained as in a run, and ended with whatever it leaves.

/** What a plugin does wrong soon after it has begun is told, too. */
const soonMs = 100

const say = (message: TraceMessage, then: () => void = () => undefined) => process.send?.(message, undefined, {}, then)
const log = sendingLogger((message) => say(message))

async function tried({ plugin, unit }: TraceOrder): Promise<TraceMessage> {
  const guard = new PluginGuard(plugin.packageName, plugin.directory, log)
  watchProcess(guard)
  const started = performance.now()
  let ms: number | undefined
  try {
    if (unit.kind === 'entry') await activate(plugin, log, guard)
    else
      await withinActivation(
        plugin.packageName,
        'load',
        guard.run(() => load(plugin, unit)),
      )
    ms = performance.now() - started
    await guard.run(() => sleep(soonMs))
    return { kind: 'done', ms }
  } catch (error) {
    log.debug('what went wrong', { error: inspect(error) })
    const message = error instanceof Error ? error.message : String(error)
    return { kind: 'done', ms: ms ?? performance.now() - started, error: message }
  }
}

async function load(
  { directory }: TraceOrder['plugin'],
  { id, module }: Extract<TraceOrder['unit'], { readonly kind: 'module' }>,
): Promise<void> {
  const url = pathToFileURL(join(directory, module)).href
  const { default: loaded } = (await import(url)) as { readonly default?: { readonly id?: unknown } }
  if (loaded?.id !== id) throw new TypeError(`its default export has the id "${String(loaded?.id)}"`)
}

process.on('message', async (order: TraceOrder) => {
  const done = await tried(order)
  say(done, () => process.exit())
})
