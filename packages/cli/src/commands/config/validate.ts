import type { ConfigProblem } from '@bkp/core/config'
import { BaseCommand } from '../../base-command.js'
import { exitCode } from '../../errors/exit-codes.js'
import { configFlag } from '../../flags/common.js'
import { counted, safe } from '../../output/text.js'

export default class ConfigValidate extends BaseCommand {
  static override summary = 'Check the configuration.'
  static override description =
    'Names every error with its line and column. Opens no destination and fetches no secret. Exit code 2: the configuration cannot be used.'
  static override examples = [
    '<%= config.bin %> config validate',
    '<%= config.bin %> config validate --config ./bkp.yaml --json',
  ]
  static override flags = configFlag

  async run(): Promise<void> {
    const { flags } = await this.parse(ConfigValidate)
    const { config } = await this.scope()
    const { path } = config.locate(flags.config)
    const problems = await this.#problems(() => config.require(flags.config))
    const errors = problems.filter(({ level }) => level === 'error').length
    if (errors > 0) this.terminal.exitCode = exitCode.usage
    if (flags.json) {
      const told = problems.map(({ level, line, column, path: key, message }) => ({
        level,
        line,
        column,
        path: key,
        message,
      }))
      return this.printJson({ path, valid: errors === 0, problems: told })
    }
    const { red, yellow, green } = this.colours('stdout')
    const { problemLine } = await import('@bkp/core/config')
    for (const problem of problems) {
      const level = problem.level === 'error' ? red('error') : yellow('warning')
      await this.print(`${level}  ${safe(problemLine(path, problem))}`)
    }
    await this.print(errors === 0 ? green(`${safe(path)} is valid`) : `${safe(path)} has ${counted(errors, 'error')}`)
  }

  async #problems(
    load: () => Promise<{ readonly warnings: readonly ConfigProblem[] }>,
  ): Promise<readonly ConfigProblem[]> {
    const { isConfigError } = await import('@bkp/core/config')
    try {
      return (await load()).warnings
    } catch (error) {
      if (isConfigError(error)) return error.problems
      throw error
    }
  }
}
