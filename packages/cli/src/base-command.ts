import type { Engine, Repository } from '@bkp/core'
import { Command, Flags } from '@oclif/core'
import pc from 'picocolors'
import { composeEngine } from './composition/engine.js'
import { repositoryUrl } from './flags/common.js'
import { exitCodeOf } from './output/exit-codes.js'
import { safe } from './output/text.js'
import { readUnlock, type SecretFlags } from './secrets/unlock.js'

/** What all commands share: JSON, errors, interruption, the engine. */
export abstract class BaseCommand extends Command {
  static override baseFlags = {
    json: Flags.boolean({
      description: 'print one JSON document (JSON lines where many entries are listed)',
      helpGroup: 'GLOBAL',
    }),
  }

  readonly #abort = new AbortController()

  /** Aborted by Ctrl-C; a second Ctrl-C ends the process at once. */
  get signal(): AbortSignal {
    return this.#abort.signal
  }

  protected isJson(): boolean {
    return this.argv.includes('--json')
  }

  override async init(): Promise<void> {
    await super.init()
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => this.#abort.abort(new Error(name)))
  }

  /** Opens a repository for the time of an action. */
  protected async withRepository<T>(
    url: string,
    flags: SecretFlags,
    action: (repository: Repository, engine: Engine) => Promise<T>,
  ): Promise<T> {
    const unlock = await readUnlock(flags)
    const engine = await composeEngine()
    const repository = await engine.openRepository(repositoryUrl(url), unlock)
    try {
      return await action(repository, engine)
    } finally {
      await repository.close()
      await engine.close()
    }
  }

  protected printJson(document: Readonly<Record<string, unknown>>): void {
    process.stdout.write(`${JSON.stringify({ version: 1, ...document })}\n`)
  }

  protected print(line = ''): void {
    process.stdout.write(`${line}\n`)
  }

  override async catch(error: Error & { code?: unknown; hint?: unknown; oclif?: { exit?: number } }): Promise<void> {
    if (error.oclif?.exit === 0) throw error
    const exit = exitCodeOf(error)
    const hint = typeof error.hint === 'string' ? error.hint : undefined
    if (this.isJson()) {
      const code = typeof error.code === 'string' ? error.code : exit === 2 ? 'usage' : 'failure'
      this.printJson({
        error: { code, message: error.message, ...(hint === undefined ? {} : { hint }), exitCode: exit },
      })
    } else {
      const lines = error.message.split('\n').map(safe)
      process.stderr.write(`${pc.red('Error:')} ${lines.join('\n')}\n`)
      if (hint !== undefined) process.stderr.write(`${safe(hint)}\n`)
    }
    if (process.env.DEBUG?.includes('bkp')) process.stderr.write(`${error.stack ?? ''}\n`)
    process.exitCode = exit
  }
}
