import type { Config, DestinationConfig } from '@bkp/core/config'
import { BaseCommand } from '../../base-command.js'
import { configFlag } from '../../flags/common.js'
import { table } from '../../output/table.js'
import { bytes, safe } from '../../output/text.js'

export default class DestinationsList extends BaseCommand {
  static override summary = 'List the destinations of the configuration.'
  static override description = 'Opens none of them.'
  static override examples = ['<%= config.bin %> destinations list', '<%= config.bin %> destinations list --json']
  static override flags = configFlag

  async run(): Promise<void> {
    const { flags } = await this.parse(DestinationsList)
    const { config } = await this.scope()
    const loaded = await config.require(flags.config)
    const all = destinationsOf(loaded.config)
    if (flags.json) return this.printJson({ destinations: all.map(destinationJson) })
    if (all.length === 0) return this.print('There are no destinations. Add one: bkp destinations add NAME URL')
    const rows = all.map(({ repository, name, written }) => [
      safe(repository),
      safe(name),
      safe(written.url),
      Object.keys(written.options).map(safe).join(' '),
      limitsText(written),
    ])
    await this.print(await table(['REPOSITORY', 'NAME', 'URL', 'OPTIONS', 'LIMITS'], rows))
  }
}

interface Listed {
  readonly repository: string
  readonly name: string
  readonly written: DestinationConfig
}

function destinationsOf({ repositories }: Config): readonly Listed[] {
  return Object.entries(repositories).flatMap(([repository, { destinations }]) =>
    Object.entries(destinations).map(([name, written]) => ({ repository, name, written })),
  )
}

function destinationJson({ repository, name, written }: Listed): Readonly<Record<string, unknown>> {
  const { uploadBytesPerSecond, downloadBytesPerSecond, schedule } = written.limits ?? {}
  return {
    repository,
    name,
    url: written.url,
    options: Object.keys(written.options),
    uploadBytesPerSecond: uploadBytesPerSecond ?? null,
    downloadBytesPerSecond: downloadBytesPerSecond ?? null,
    limitPeriods: schedule?.length ?? 0,
  }
}

function limitsText({ limits }: DestinationConfig): string {
  const { uploadBytesPerSecond: up, downloadBytesPerSecond: down, schedule = [] } = limits ?? {}
  const parts = [
    ...(up === undefined ? [] : [`up ${bytes(up)}/s`]),
    ...(down === undefined ? [] : [`down ${bytes(down)}/s`]),
    ...schedule.map(({ from, to }) => `${from}-${to}`),
  ]
  return parts.join(', ')
}
