import type { Storage } from '@bkp/plugin-api'
import type { Destination } from '../config/destination.js'
import type { CodecDescriptor, CodecDescriptors } from '../repository/codecs.js'
import type { CodecChoice } from './api.js'

export type WorkerPort = 'compression' | 'encryption' | 'source'

/** What the engine needs of the plugins. */
export interface PluginAccess {
  /** A storage with core's wrappers around it. @throws BkpError, PortError */
  openStorage(destination: Destination, intent: 'create' | 'open'): Promise<Storage>
  /** Ids that installed plugins contribute to a port. */
  idsOf(port: WorkerPort): readonly string[]
  /** URL of the module for worker threads; undefined when no plugin has the id. */
  moduleUrl(port: WorkerPort, id: string): string | undefined
  /** @throws BkpError `usage` naming what is wrong with a configuration */
  validate(port: WorkerPort, choice: CodecChoice): Promise<void>
}

/** Descriptors for threads: the compressions of a repository in order, and every cipher there is. */
export function describeCodecs(
  plugins: PluginAccess,
  compressions: readonly string[],
  chosen?: CodecChoice,
): CodecDescriptors {
  const describe = (port: WorkerPort, id: string): CodecDescriptor => ({
    id,
    url: plugins.moduleUrl(port, id),
    configuration: chosen?.id === id ? chosen.configuration : {},
  })
  return {
    compressions: compressions.map((id) => describe('compression', id)),
    ciphers: plugins.idsOf('encryption').map((id) => describe('encryption', id)),
  }
}
