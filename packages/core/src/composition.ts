import { randomBytes } from 'node:crypto'
import type { Logger, Storage } from '@bkp/plugin-api'
import { container } from 'tsyringe'
import type { Destination } from './config/destination.js'
import type { Engine, EngineOptions } from './engine/api.js'
import { PluginEngine } from './engine/engine.js'
import type { PluginAccess } from './engine/plugin-access.js'
import { Clock, EngineSettings, Log, Plugins, RandomBytes } from './engine/tokens.js'
import { BkpError } from './errors/index.js'
import { maxObjectBytes } from './format/limits.js'
import { foreignPlugins } from './plugins/containment/process-guards.js'
import type { ReadManifests } from './plugins/manifest.js'
import { PluginHost } from './plugins/plugin-host.js'
import { ThreadedStorage } from './plugins/thread/threaded-storage.js'
import { openPatiently } from './ports/opening.js'
import { wrapStorage } from './ports/wrap-storage.js'
import { collectAtOnce } from './v8-flags.js'

const quiet: Logger = { debug: () => undefined, info: () => undefined, warn: () => undefined }

export interface CreateEngineOptions extends EngineOptions {
  /** Plugins that the user installed, each of which is verified before any of its code is imported. */
  readonly approvedPlugins?: ReadManifests
}

/** Core's composition root: wires an engine over the plugins in the given folders. */
export async function createEngine(options: CreateEngineOptions, log: Logger = quiet): Promise<Engine> {
  const host = await PluginHost.fromDirectories(
    {
      bundled: options.bundledPluginDirectories ?? [],
      installed: options.pluginDirectories,
      ...(options.approvedPlugins === undefined ? {} : { approved: options.approvedPlugins }),
    },
    log,
    options.env,
    options.onLogLine,
    {
      ...(options.pluginCallMs === undefined ? {} : { limitMs: options.pluginCallMs }),
      ...(options.onPluginHeld === undefined ? {} : { onHeld: options.onPluginHeld }),
    },
  )
  const { core } = host.logs
  const own = new WeakSet<Storage>()
  const plugins: PluginAccess = {
    openStorage: async (destination, intent) => {
      const raw = await openPatiently(() => host.openStorage(destination, intent, options.confirm), destination, {
        onWait: ({ error, delayMs }) => core.warn(retrying(destination.name, delayMs, error)),
      })
      await refuseSmall(raw, destination)
      if (!raw.capabilities.isLocal) collectAtOnce()
      const isForeign = raw instanceof ThreadedStorage
      const storage = wrapStorage(raw, destination, {
        // A disk of this machine is not waited for by a clock, unless nobody knows how it is used.
        ...(isForeign ? { limitsLocal: true } : { leavesMemoryAlone: true }),
        onRetry: ({ subject, error, delayMs }) => core.warn(retrying(destination.name, delayMs, error), { subject }),
      })
      if (!isForeign) own.add(storage)
      return storage
    },
    comesWithBkp: (storage) => own.has(storage),
    openNotifier: (target) => host.openNotifier(target),
    secrets: () => host.secrets,
    foreignPlugins,
    logOf: (packageName, people) => host.logs.of(packageName, people),
    contain: ({ packageName }, _call, action) => host.contain(packageName, action),
    idsOf: (port) => host.idsOf(port),
    workerModule: (port, id) => host.workerModule(port, id),
    validate: (port, choice) => host.validate(port, choice.id, choice.configuration),
    close: () => host.close(),
  }
  const scope = container.createChildContainer()
  scope.register(EngineSettings, { useValue: options })
  scope.register(Plugins, { useValue: plugins })
  scope.register(Log, { useValue: core })
  scope.register(Clock, { useValue: Date.now })
  scope.register(RandomBytes, { useValue: (count: number) => new Uint8Array(randomBytes(count)) })
  return scope.resolve(PluginEngine)
}

/** Core never splits an object. @throws BkpError `unsupported` */
async function refuseSmall(storage: Storage, { name }: Destination): Promise<void> {
  const most = storage.capabilities.maxObjectBytes
  if (most >= maxObjectBytes) return
  await storage.close()
  throw new BkpError('unsupported', `${name} takes objects of at most ${most} bytes; bkp needs ${maxObjectBytes}`, {
    hint: 'Raise the limit of the storage, or its option that says it',
  })
}

function retrying(name: string, delayMs: number, error: Error): string {
  return `${name}: retrying in ${Math.ceil(delayMs / 1000)} s: ${error.message}`
}
