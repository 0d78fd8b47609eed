import type { NotifierTarget } from '@bkp/core'
import type { NotifierConfig } from '@bkp/core/config'
import type { Logger } from '@bkp/plugin-api'
import { inject, injectable } from 'tsyringe'
import { Log } from '../composition/tokens.js'
import { ConfigFile, type LoadedConfig } from '../config/config-file.js'
import { SecretReferences } from '../secrets/secret-references.js'

/** Notifiers of the configuration with their secrets fetched. */
@injectable()
export class NotifierTargets {
  readonly #references: SecretReferences
  readonly #config: ConfigFile
  readonly #log: Logger

  constructor(
    @inject(SecretReferences) references: SecretReferences,
    @inject(ConfigFile) config: ConfigFile,
    @inject(Log) log: Logger,
  ) {
    this.#references = references
    this.#config = config
    this.#log = log
  }

  /** Those whose secrets cannot be fetched are warned of and left out. */
  async resolve(
    wanted: readonly (readonly [string, NotifierConfig])[],
    loaded: LoadedConfig,
  ): Promise<readonly NotifierTarget[]> {
    const targets = wanted.map(async ([name, config]): Promise<readonly NotifierTarget[]> => {
      try {
        return [await this.target(name, config, loaded)]
      } catch (error) {
        this.#log.warn(`The notifier ${name} is not told of this run: ${(error as Error).message}`)
        return []
      }
    })
    return (await Promise.all(targets)).flat()
  }

  /** @throws UsageError when a secret cannot be fetched */
  async target(
    name: string,
    { use, options, on, patience }: NotifierConfig,
    loaded: LoadedConfig,
  ): Promise<NotifierTarget> {
    const { isSecretProperty, propertiesOf } = await import('@bkp/core/config')
    await this.#config.warnOfSecrets(loaded, `notifiers.${name}`)
    const described = loaded.notifiers.find(({ id }) => id === use)
    const properties = propertiesOf(described?.schema ?? {})
    const fetched = Object.entries(options).map(async ([option, value]) => {
      if (typeof value !== 'string' || !isSecretProperty(properties[option])) return [option, value] as const
      return [
        option,
        await this.#references.fetch(value, `option ${option} of the notifier ${name}`, loaded.path),
      ] as const
    })
    return {
      name,
      use,
      options: Object.fromEntries(await Promise.all(fetched)),
      on,
      ...(patience === undefined ? {} : { patience }),
    }
  }
}
