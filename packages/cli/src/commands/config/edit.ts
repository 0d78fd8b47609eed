import { mkdir, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { BaseCommand } from '../../base-command.js'
import { UsageError } from '../../errors/cli-error.js'
import { configFlag } from '../../flags/common.js'
import { safe, safeLines } from '../../output/text.js'

export default class ConfigEdit extends BaseCommand {
  static override summary = 'Change the configuration in your editor.'
  static override description =
    'Opens a copy in VISUAL or EDITOR and takes it over only if it is valid; else the old file stays, and the text that you wrote is kept beside it.'
  static override examples = ['<%= config.bin %> config edit', 'EDITOR=nano <%= config.bin %> config edit']
  static override flags = configFlag

  async run(): Promise<void> {
    const { flags } = await this.parse(ConfigEdit)
    const { config } = await this.scope()
    const { path } = config.locate(flags.config)
    const { newConfigText } = await import('@bkp/core/config')
    const old = await config.readIfThere(flags.config)
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    // Beside the file, so that it ends in .yaml, lies on a disk of the user's own, and is for its owner alone.
    const copy = join(dirname(path), `.edit-${process.pid}.yaml`)
    const { replaceFile } = await import('@bkp/core/config')
    await replaceFile(copy, old ?? newConfigText(this.schemaPath))
    try {
      const text = await this.#edited(copy, path)
      const isSame = text === old
      if (!isSame) await config.write(path, text)
      if (flags.json) return this.printJson({ path, changed: !isSame })
      await this.print(isSame ? `${safe(path)} is as it was` : `Saved ${safe(path)}`)
    } finally {
      await rm(copy, { force: true })
    }
  }

  async #edited(copy: string, path: string): Promise<string> {
    const { config } = await this.scope()
    for (;;) {
      await this.questions.editFile(copy)
      const text = await readFile(copy, 'utf8')
      try {
        await config.check(text, path)
        return text
      } catch (error) {
        if (!this.terminal.canAsk) return this.#rejected(copy, path, error)
        await this.terminal.stderr.write(`${safeLines((error as Error).message)}\n`)
        if (!(await this.questions.confirm('Edit it again?'))) return this.#rejected(copy, path, error)
      }
    }
  }

  async #rejected(copy: string, path: string, error: unknown): Promise<never> {
    const kept = `${path}.rejected`
    await rename(copy, kept)
    const hint = `The configuration is as it was; what you wrote is in ${kept}`
    throw new UsageError((error as Error).message, hint)
  }
}
