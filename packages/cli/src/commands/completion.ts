import { Args } from '@oclif/core'
import { BaseCommand } from '../base-command.js'
import { type CompletedCommand, completionScript, shells } from '../output/completion.js'

export default class Completion extends BaseCommand {
  static override summary = 'Print a completion script for a shell.'
  static override examples = [
    '<%= config.bin %> completion bash > /etc/bash_completion.d/bkp',
    '<%= config.bin %> completion zsh > ~/.zfunc/_bkp',
    '<%= config.bin %> completion fish > ~/.config/fish/completions/bkp.fish',
  ]
  static override args = { shell: Args.string({ description: 'which shell', options: [...shells], required: true }) }

  async run(): Promise<void> {
    const { args } = await this.parse(Completion)
    const commands: CompletedCommand[] = this.config.commands.map(({ id, summary, flags }) => ({
      id,
      summary: summary ?? '',
      flags: Object.entries(flags).map(([name, flag]) => ({
        name,
        takesValue: flag.type === 'option',
        options: flag.type === 'option' ? (flag.options ?? []) : [],
      })),
    }))
    this.print(completionScript(args.shell as (typeof shells)[number], this.config.bin, commands))
  }
}
