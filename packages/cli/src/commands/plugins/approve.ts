import { Args, Flags } from '@oclif/core'
import { UsageError } from '../../errors/cli-error.js'
import { safe } from '../../output/text.js'
import { PluginCommand, yesFlag } from '../../plugins/plugin-command.js'
import { approvalJson } from '../../plugins/plugin-json.js'

const shownFiles = 20

export default class PluginsApprove extends PluginCommand {
  static override summary = 'Approve a plugin as it is now, after showing what changed.'
  static override description =
    'For a plugin whose files are not those that you approved, or whose approval is lost. When you do not know why it changed, install it again instead.'
  static override examples = ['<%= config.bin %> plugins approve bkp-storage-example']
  static override args = { name: Args.string({ description: 'name of the package', required: true }) }
  static override flags = {
    ...yesFlag,
    integrity: Flags.string({
      description: 'the hash of all its files (sha256-…) that you mean; --yes needs it',
      helpValue: 'HASH',
    }),
  }

  async run(): Promise<void> {
    const { flags, args } = await this.parse(PluginsApprove)
    if (flags.yes && flags.integrity === undefined)
      throw new UsageError('--yes needs --integrity', `Without --yes it is shown: bkp plugins:approve ${args.name}`)
    const manager = await this.pluginManager()
    const previous = (await manager.approvals()).find(({ name }) => name === args.name)
    if (previous?.kind === 'linked')
      throw new UsageError(`${args.name} is linked: its files are not verified`, 'To have them verified, install it')
    const candidate = await manager.stageInstalled(args.name).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
      throw new UsageError(`${args.name} is not installed`, 'See what is: bkp plugins:list')
    })
    const { facts, integrity } = candidate
    if (flags.integrity !== undefined && flags.integrity !== integrity)
      throw new UsageError(
        `The files of ${args.name} are ${integrity}, and not ${flags.integrity}`,
        'Look at what changed',
      )
    await this.tell(await changesText(previous && (await manager.approvedList(previous)), candidate.files), flags.json)
    const question = `Approve ${safe(facts.name)} ${safe(facts.version)} as it is now?`
    await this.requireConsent(
      candidate,
      flags,
      question,
      `bkp plugins:approve ${facts.name} --yes --integrity ${integrity}`,
      'installed',
    )
    const approval = await candidate.accept()
    if (flags.json) return this.printJson({ plugin: approvalJson(approval) })
    await this.print(`Approved ${safe(facts.name)} ${safe(facts.version)}`)
  }
}

async function changesText(before: string | undefined, after: string): Promise<string> {
  if (before === undefined) return 'What was approved before is not known.\n'
  const { changesBetween } = await import('@bkp/core/plugins')
  const { added, removed, changed } = changesBetween(before, after)
  const lines = [
    ...changed.map((path) => `  changed  ${safe(path)}`),
    ...added.map((path) => `  added    ${safe(path)}`),
    ...removed.map((path) => `  removed  ${safe(path)}`),
  ]
  if (lines.length === 0) return 'No file differs from what was approved.\n'
  const more = lines.length > shownFiles ? [`  and ${lines.length - shownFiles} more`] : []
  return ['Files that differ from what was approved:', ...lines.slice(0, shownFiles), ...more, ''].join('\n')
}
