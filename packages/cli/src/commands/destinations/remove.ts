import type { Config } from '@bkp/core/config'
import { Args, Flags } from '@oclif/core'
import { BaseCommand } from '../../base-command.js'
import { UsageError } from '../../errors/cli-error.js'
import { configFlag } from '../../flags/common.js'
import { safe } from '../../output/text.js'

export default class DestinationsRemove extends BaseCommand {
  static override summary = 'Take a destination out of the configuration.'
  static override description = 'What is stored there stays as it is.'
  static override examples = [
    '<%= config.bin %> destinations remove nas',
    '<%= config.bin %> destinations remove home:nas',
  ]
  static override args = { name: Args.string({ description: 'NAME, or REPOSITORY:NAME', required: true }) }
  static override flags = {
    ...configFlag,
    repository: Flags.string({
      description: 'whose destination, where several have one of that name',
      helpValue: 'NAME',
    }),
  }

  async run(): Promise<void> {
    const { flags, args } = await this.parse(DestinationsRemove)
    const { config } = await this.scope()
    const loaded = await config.require(flags.config)
    const { repository, name } = await this.#find(loaded.config, flags.repository, args.name)
    const { removeDestination } = await import('@bkp/core/config')
    const text = removeDestination(loaded.text, repository, name)
    await config.check(text, loaded.path)
    await config.write(loaded.path, text)
    if (flags.json) return this.printJson({ path: loaded.path, repository, name })
    await this.print(`Removed ${safe(name)} of ${safe(repository)} from the configuration; what is stored there stays`)
  }

  async #find(
    config: Config,
    repository: string | undefined,
    name: string,
  ): Promise<{ readonly repository: string; readonly name: string }> {
    if (repository !== undefined) return { repository, name }
    const all = Object.entries(config.repositories).flatMap(([owner, { destinations }]) =>
      Object.keys(destinations).map((own) => ({ repository: owner, name: own })),
    )
    const matching = all.filter((one) => one.name === name || `${one.repository}:${one.name}` === name)
    const [first, second] = matching
    if (first !== undefined && second === undefined) return first
    if (first === undefined)
      throw new UsageError(`There is no destination "${name}"`, 'See what there is: bkp destinations list')
    const names = matching.map((one) => `${one.repository}:${one.name}`)
    throw new UsageError(`"${name}" is the name of several destinations`, `Name one: ${names.join(' or ')}`)
  }
}
