import { Flags } from '@oclif/core'
import { BaseCommand } from '../base-command.js'
import { CliError, UsageError } from '../errors/cli-error.js'
import { table } from '../output/table.js'
import { safe } from '../output/text.js'
import { factDifferences, factRows, type PluginFacts } from './plugin-facts.js'
import type { Candidate } from './plugin-manager.js'

export const yesFlag = {
  yes: Flags.boolean({ char: 'y', default: false, description: 'ask nothing; needs to be told exactly what is meant' }),
}

export const scriptsFlag = {
  'allow-scripts': Flags.boolean({
    default: false,
    description: 'run the install scripts of the plugin and of what it depends on, after you said yes',
  }),
}

export const integrityFlag = {
  integrity: Flags.string({
    description: 'refuse a tarball with another hash (sha512-…), as npm pack --json tells it',
    helpValue: 'HASH',
  }),
}

/** What the commands that approve plugins share. */
export abstract class PluginCommand extends BaseCommand {
  /**
   * Shows what is known of a plugin and asks whether to use it; the answer is no unless somebody says otherwise.
   * @param toType the command that needs no answer
   * @throws UsageError without a terminal to ask at; CliError when the answer is no
   */
  protected async requireConsent(
    { facts, previous }: Pick<Candidate, 'facts' | 'previous'>,
    flags: { readonly yes: boolean; readonly json: boolean },
    question: string,
    toType: string,
    state: 'to-install' | 'installed' = 'to-install',
  ): Promise<void> {
    await this.#show(facts, flags.json, state)
    if (previous !== undefined) await this.#showDifferences(previous.shown as Partial<PluginFacts>, facts, flags.json)
    if (flags.yes) return
    if (!this.terminal.canAsk)
      throw new UsageError(
        'A plugin is used only after somebody said yes, and there is no terminal to ask at',
        `If that is what you want: ${toType}`,
      )
    if (!(await this.confirm(question)))
      throw new CliError('failure', 'Nothing was changed', `To look at it again: ${toType.replace(/ --yes.*/, '')}`)
  }

  /** With `--json`, what is for people goes where it does not disturb. */
  protected async tell(line: string, isJson: boolean): Promise<void> {
    await (isJson ? this.terminal.stderr : this.terminal.stdout).write(`${line}\n`)
  }

  async #show(facts: PluginFacts, isJson: boolean, state: 'to-install' | 'installed'): Promise<void> {
    const rows = factRows(facts, this.now(), state).map(([what, text]) => [what, safe(text)])
    await this.tell(await table([], rows), isJson)
    const warning =
      'A plugin runs with all your rights and sees what it is given to store: to use it is to trust its author.'
    await this.tell(`\n${warning}`, isJson)
  }

  async #showDifferences(before: Partial<PluginFacts>, facts: PluginFacts, isJson: boolean): Promise<void> {
    const changes = factDifferences(before, facts)
    if (changes.length === 0) return this.tell('\nNothing of that differs from what you approved before.', isJson)
    await this.tell(
      ['\nWhat differs from what you approved before:', ...changes.map((line) => `  ${safe(line)}`)].join('\n'),
      isJson,
    )
  }
}
