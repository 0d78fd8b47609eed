import type { Approval } from '@bkp/core/plugins'
import { Args } from '@oclif/core'
import { UsageError } from '../../errors/cli-error.js'
import { safe } from '../../output/text.js'
import { exactCommand, refuseVagueYes, stageFrom } from '../../plugins/install-plugin.js'
import { integrityFlag, PluginCommand, scriptsFlag, yesFlag } from '../../plugins/plugin-command.js'
import type { PluginFacts } from '../../plugins/plugin-facts.js'
import { approvalJson } from '../../plugins/plugin-json.js'
import type { PluginManager } from '../../plugins/plugin-manager.js'
import { type PluginSource, parsePluginSource } from '../../plugins/plugin-source.js'

export default class PluginsUpdate extends PluginCommand {
  static override summary = 'Bring plugins to their newest version, after showing what changes.'
  static override description =
    'Looks where each plugin came from. Shows how the new version differs from the approved one in ports, hosts, native code, scripts, publisher and dependencies, and asks again. Linked plugins are not touched.'
  static override examples = [
    '<%= config.bin %> plugins update',
    '<%= config.bin %> plugins update bkp-storage-example@1.3.0 --yes',
  ]
  static override args = {
    name: Args.string({ description: 'which one (NAME, NAME@RANGE); without it, all' }),
  }
  static override flags = { ...yesFlag, ...integrityFlag, ...scriptsFlag }

  async run(): Promise<void> {
    const { flags, args } = await this.parse(PluginsUpdate)
    const manager = await this.pluginManager()
    const wanted = args.name === undefined ? undefined : splitName(args.name)
    if (flags.yes && wanted === undefined)
      throw new UsageError('--yes needs the plugin and its version', 'Write: bkp plugins:update NAME@1.2.3 --yes')
    const approvals = (await manager.approvals()).filter(({ kind }) => kind === 'installed')
    const chosen = approvals.filter(({ name }) => wanted === undefined || name === wanted.name)
    if (wanted !== undefined && chosen.length === 0)
      throw new UsageError(`${wanted.name} is not installed`, 'See what is: bkp plugins:list')
    const told: object[] = []
    for (const approval of chosen) told.push(await this.#update(manager, approval, wanted?.range, flags))
    if (flags.json) return this.printJson({ plugins: told })
    if (chosen.length === 0) await this.print('There are no plugins to update')
  }

  async #update(
    manager: PluginManager,
    approval: Approval,
    range: string | undefined,
    flags: {
      readonly yes: boolean
      readonly json: boolean
      readonly integrity?: string | undefined
      readonly 'allow-scripts': boolean
    },
  ): Promise<object> {
    const { name } = approval
    const source = await sourceOf(approval, range)
    refuseVagueYes(source, flags)
    const candidate = await stageFrom(manager, source, flags, this.signal)
    try {
      const { facts } = candidate
      if (facts.name !== name)
        throw new UsageError(
          `${approval.source.spec} is now ${facts.name}`,
          `Install that by itself: bkp plugins:install`,
        )
      const shown = approval.shown as Partial<PluginFacts>
      if (facts.version === approval.version && facts.tarball === shown.tarball && !flags['allow-scripts']) {
        await this.tell(`${safe(name)} ${safe(facts.version)} is the newest`, flags.json)
        return { ...approvalJson(approval), isUpdated: false }
      }
      const question = `Update ${safe(name)} from ${safe(approval.version)} to ${safe(facts.version)}?`
      await this.requireConsent(candidate, flags, question, exactCommand(candidate, source, flags))
      const updated = await candidate.accept()
      await this.tell(`Updated ${safe(name)} to ${safe(facts.version)}`, flags.json)
      return { ...approvalJson(updated), isUpdated: true }
    } finally {
      await candidate.discard()
    }
  }
}

/** Where the newest version is: for one that was installed by its exact version, whatever the registry calls the latest. */
async function sourceOf({ name, source: { kind, spec } }: Approval, range: string | undefined): Promise<PluginSource> {
  if (kind === 'registry' && range !== undefined) return parsePluginSource(`${name}@${range}`)
  const source = await parsePluginSource(kind === 'git' ? `git+${spec}` : spec)
  return source.kind === 'registry' && source.isExact ? parsePluginSource(`${name}@latest`) : source
}

function splitName(text: string): { readonly name: string; readonly range: string | undefined } {
  const at = text.indexOf('@', 1)
  return at < 0 ? { name: text, range: undefined } : { name: text.slice(0, at), range: text.slice(at + 1) }
}
