import { Args } from '@oclif/core'
import { BaseCommand } from '../base-command.js'
import { type CompletedCommand, completionScript, type Shell, shells } from '../output/completion.js'

export default class Completion extends BaseCommand {
  static override summary = 'Print a completion script for a shell.'
  static override examples = [
    '<%= config.bin %> completion bash > /etc/bash_completion.d/bkp',
    '<%= config.bin %> completion zsh > ~/.zfunc/_bkp',
    '<%= config.bin %> completion fish > ~/.config/fish/completions/bkp.fish',
  ]
  static override args = { shell: Args.string({ description: 'which shell', options: [...shells], required: true }) }

  async run(): Promise<void> {
    const { flags, args } = await this.parse(Completion)
    const shell = args.shell as Shell
    const script = completionScript(shell, this.config.bin, this.#commands())
    await (flags.json ? this.printJson({ shell, script }) : this.print(script))
  }

  #commands(): CompletedCommand[] {
    const commands = this.config.commands.map(({ id, summary, flags }) => ({
      id,
      summary: summary ?? '',
      flags: Object.entries(flags).map(([name, flag]) => ({
        name,
        summary: flag.description ?? '',
        takesValue: flag.type === 'option',
        isRepeatable: flag.type === 'option' && flag.multiple === true,
        options: flag.type === 'option' ? (flag.options ?? []) : [],
      })),
    }))
    return commands.sort((a, b) => (a.id < b.id ? -1 : 1))
  }
}
