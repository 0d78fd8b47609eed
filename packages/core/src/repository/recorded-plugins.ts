import { isPortError } from '@bkp/plugin-api'
import { isBkpError } from '../errors/index.js'
import { compareTimestamps } from '../format/json.js'
import type { CipherInUse } from '../format/sealed-object.js'
import { parseSnapshot } from '../format/snapshot.js'
import type { SnapshotPlugin } from '../format/snapshot-plugins.js'
import { loadingCiphers } from './cipher-loading.js'
import type { Codecs } from './codecs.js'
import type { OpenedRepository } from './opened-repository.js'
import { forEachAtATime, keysOf, readSealed, readsAtATime } from './repository-index.js'

/**
 * What the snapshots of a repository say of the packages that wrote them. Asked when a plugin is missing, and never before:
 * all of them have to be read.
 */
export class RecordedPlugins {
  readonly #repository: OpenedRepository
  readonly #cipherFor: (id: string) => CipherInUse
  #all: Promise<readonly SnapshotPlugin[]> | undefined
  #known: readonly SnapshotPlugin[] = []

  static of(repository: OpenedRepository, codecs: Codecs): RecordedPlugins {
    const storage = loadingCiphers(repository.storage, codecs)
    return new RecordedPlugins({ ...repository, storage }, (id) => codecs.cipher(id))
  }

  constructor(repository: OpenedRepository, cipherFor: (id: string) => CipherInUse) {
    this.#repository = repository
    this.#cipherFor = cipherFor
  }

  /** The record of the newest snapshot that has one and can be read. Fails never: this only helps to tell of another failure. */
  async lookUp(port: SnapshotPlugin['port'], id: string): Promise<SnapshotPlugin | undefined> {
    this.#all ??= this.#load()
    this.#known = await this.#all
    return this.known(port, id)
  }

  /** As `lookUp`, of what has been looked up by now. */
  known(port: SnapshotPlugin['port'], id: string): SnapshotPlugin | undefined {
    return this.#known.find((record) => record.port === port && record.id === id)
  }

  /** Of the newest snapshot first. */
  async #load(): Promise<readonly SnapshotPlugin[]> {
    const found: { readonly time: string; readonly plugins: readonly SnapshotPlugin[] }[] = []
    try {
      await forEachAtATime(await keysOf(this.#repository.storage, 'snapshots/'), readsAtATime, async (key) => {
        const { time, plugins = [] } = (await this.#read(key)) ?? {}
        if (time !== undefined) found.push({ time, plugins })
      })
    } catch (error) {
      if (!isPortError(error)) throw error
    }
    return found.sort((a, b) => compareTimestamps(b.time, a.time)).flatMap(({ plugins }) => plugins)
  }

  async #read(key: string) {
    try {
      const payload = await readSealed(this.#repository, 'snapshot', key, this.#cipherFor, [])
      return payload === undefined ? undefined : parseSnapshot(payload)
    } catch (error) {
      // Sealed by a cipher that is missing, too, or of a later version.
      if (!isBkpError(error)) throw error
      return undefined
    }
  }
}
