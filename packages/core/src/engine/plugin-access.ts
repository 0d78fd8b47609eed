import type { Logger, Notifier, Secret, Storage } from '@bkp/plugin-api'
import type { Destination } from '../config/destination.js'
import type { NotifierTarget } from '../config/notifier.js'
import { BkpError, isBkpError } from '../errors/index.js'
import { installHint } from '../errors/missing-plugin.js'
import type { SnapshotPlugin } from '../format/snapshot-plugins.js'
import type { CodecDescriptor, CodecDescriptors, ForeignPlugin } from '../repository/codecs.js'
import type { During } from '../repository/plugin-calls.js'
import type { CodecChoice } from './api.js'

export type WorkerPort = 'compression' | 'encryption' | 'source'

export interface WorkerModule {
  /** @throws BkpError `plugin-refused` when its files are not what the user approved; verified when it is asked for */
  readonly url: string
  readonly packageName: string
  /** Whose it is, where that did not come with bkp. */
  readonly plugin: ForeignPlugin | undefined
}

/** What the engine needs of the plugins. */
export interface PluginAccess {
  /** A storage with core's wrappers around it. @throws BkpError, PortError */
  openStorage(destination: Destination, intent: 'create' | 'open'): Promise<Storage>
  /** Whether the plugin of a storage that was opened here is one of bkp's own. */
  comesWithBkp(storage: Storage): boolean
  openNotifier(target: NotifierTarget): Promise<Notifier>
  /** What plugins were given that must not be told to anybody. */
  secrets(): Iterable<Secret>
  foreignPlugins(): readonly string[]
  /** For what code of a package says; without a name, for what core says. @param people is told instead of the engine's log */
  logOf(packageName?: string, people?: Logger): Logger
  /** Runs code of a plugin that did not come with bkp in the main thread. @throws BkpError `plugin-failed` with its name */
  readonly contain: During
  /** Ids that installed plugins contribute to a port. */
  idsOf(port: WorkerPort): readonly string[]
  /**
   * The module for worker threads; undefined when no plugin has the id.
   * @throws BkpError `plugin-failed` when several plugins claim it, or the one that does cannot be used
   */
  workerModule(port: WorkerPort, id: string): WorkerModule | undefined
  /** @throws BkpError `usage` naming what is wrong with a configuration */
  validate(port: WorkerPort, choice: CodecChoice): Promise<void>
  /** Ends what they run in, after all that was opened is closed. */
  close(): Promise<void>
}

/**
 * Descriptors for threads: the compressions of a repository in order, every cipher that comes with bkp, and of the others
 * those that are in use.
 */
export function describeCodecs(
  plugins: PluginAccess,
  compressions: readonly string[],
  {
    chosen,
    foreignCiphers = [],
    writtenBy = () => undefined,
  }: {
    readonly chosen?: CodecChoice
    readonly foreignCiphers?: readonly string[]
    readonly writtenBy?: (port: SnapshotPlugin['port'], id: string) => SnapshotPlugin | undefined
  } = {},
): CodecDescriptors {
  const describe = (port: WorkerPort, id: string): CodecDescriptor => {
    const configuration = chosen?.id === id ? chosen.configuration : {}
    try {
      const module = plugins.workerModule(port, id)
      if (module === undefined) return withWriter({ id, url: undefined, configuration }, writtenBy(port, id))
      const { url, plugin } = module
      return { id, url, configuration, ...(plugin === undefined ? {} : { plugin }) }
    } catch (error) {
      if (!isBkpError(error)) throw error
      return {
        id,
        url: undefined,
        configuration,
        fault: { code: error.code, message: error.message, hint: error.hint },
      }
    }
  }
  // Of those that nothing has asked for yet not even the files are looked at.
  const later = (id: string): CodecDescriptor | undefined => {
    const module = foreignCiphers.includes(id) ? undefined : plugins.workerModule('encryption', id)
    if (module?.plugin === undefined) return undefined
    return {
      id,
      configuration: {},
      plugin: module.plugin,
      get url() {
        return module.url
      },
    }
  }
  const ids = plugins.idsOf('encryption')
  const unused = ids.flatMap((id) => later(id) ?? [])
  return {
    compressions: compressions.map((id) => describe('compression', id)),
    ciphers: ids.filter((id) => !unused.some((one) => one.id === id)).map((id) => describe('encryption', id)),
    foreignCiphers: unused,
  }
}

function withWriter(descriptor: CodecDescriptor, writtenBy: SnapshotPlugin | undefined): CodecDescriptor {
  return writtenBy === undefined ? descriptor : { ...descriptor, writtenBy }
}

/**
 * Before a run that writes: what it was told to use must be there, and be what the user approved.
 * @throws BkpError `missing-plugin`, `plugin-refused`, `plugin-failed`
 */
export function requireCodecs(
  plugins: PluginAccess,
  { compression, cipher }: { readonly compression: CodecChoice; readonly cipher: string },
): void {
  const wanted = [
    ['compression', compression.id],
    ['encryption', cipher],
  ] as const
  for (const [port, id] of wanted) {
    // Asking for the URL verifies the plugin.
    if (id === 'none' || plugins.workerModule(port, id)?.url !== undefined) continue
    throw new BkpError('missing-plugin', `No installed plugin has the ${port} "${id}"`, {
      hint: `Those that are there: ${plugins.idsOf(port).join(', ')}. ${installHint(port, id)}`,
    })
  }
}

/** Plugins that did not come with bkp and run in threads with these codecs. */
export function foreignIn(...codecs: readonly CodecDescriptors[]): readonly ForeignPlugin[] {
  const described = codecs.flatMap(({ compressions, ciphers }) => [...compressions, ...ciphers])
  const plugins = described.flatMap(({ plugin }) => (plugin === undefined ? [] : [plugin]))
  return [...new Map(plugins.map((plugin) => [plugin.packageName, plugin])).values()]
}
