import { Args } from '@oclif/core'
import { safe } from '../../output/text.js'
import { exactCommand, refuseVagueYes, stageFrom } from '../../plugins/install-plugin.js'
import { integrityFlag, PluginCommand, scriptsFlag, yesFlag } from '../../plugins/plugin-command.js'
import { approvalJson } from '../../plugins/plugin-json.js'
import { parsePluginSource } from '../../plugins/plugin-source.js'

export default class PluginsInstall extends PluginCommand {
  static override summary = 'Install a plugin, after showing what it is.'
  static override description =
    'Fetches it, reads its manifest without running any of its code, shows what is known of it, and asks. Nothing is used that you have not approved; what is changed later is refused until you approve it again. Install scripts do not run unless you allow them.'
  static override examples = [
    '<%= config.bin %> plugins install bkp-storage-example',
    '<%= config.bin %> plugins install bkp-storage-example@1.2.3 --yes',
    '<%= config.bin %> plugins install ./bkp-storage-example-1.2.3.tgz',
    '<%= config.bin %> plugins install git+https://git.example/bkp-storage-example.git#v1.2.3',
  ]
  static override args = {
    source: Args.string({
      description:
        'name of the registry (NAME, NAME@RANGE), a tarball, a folder, or a URL of a tarball or git repository',
      required: true,
    }),
  }
  static override flags = { ...yesFlag, ...integrityFlag, ...scriptsFlag }

  async run(): Promise<void> {
    const { flags, args } = await this.parse(PluginsInstall)
    const source = await parsePluginSource(args.source)
    refuseVagueYes(source, flags)
    const manager = await this.pluginManager()
    const candidate = await stageFrom(manager, source, flags, this.signal)
    try {
      const { name, version } = candidate.facts
      const question = `Install ${safe(name)} ${safe(version)}, and run its code from now on?`
      await this.requireConsent(candidate, flags, question, exactCommand(candidate, source, flags))
      const approval = await candidate.accept()
      if (flags.json) return this.printJson({ plugin: approvalJson(approval) })
      await this.print(`Installed ${safe(name)} ${safe(version)}. See: bkp plugins:inspect ${name}`)
    } finally {
      await candidate.discard()
    }
  }
}
