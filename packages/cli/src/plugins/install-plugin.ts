import { CliError, UsageError } from '../errors/cli-error.js'
import { quoted } from '../output/text.js'
import type { Candidate, PluginManager } from './plugin-manager.js'
import type { PluginSource } from './plugin-source.js'

export interface InstallFlags {
  readonly yes: boolean
  readonly integrity?: string | undefined
  readonly 'allow-scripts': boolean
}

/**
 * Without a question only what is named exactly may be installed: a version of the registry, or a tarball by its hash.
 * @throws UsageError
 */
export function refuseVagueYes(source: PluginSource, flags: InstallFlags): void {
  if (!flags.yes || flags.integrity !== undefined) return
  if (source.kind === 'registry') {
    if (source.isExact) return
    throw new UsageError(
      '--yes needs an exact version',
      `Write ${source.name}@1.2.3; see: npm view ${source.name} versions`,
    )
  }
  throw new UsageError(
    '--yes needs --integrity for what does not come from the registry',
    `Without --yes it is shown: bkp plugins:install ${quoted(source.spec)}`,
  )
}

/** Fetches a plugin and unpacks it aside. @throws CliError when it is not what `--integrity` says */
export async function stageFrom(
  manager: PluginManager,
  source: PluginSource,
  flags: InstallFlags,
  signal: AbortSignal,
): Promise<Candidate> {
  const candidate = await manager.stage(source, flags['allow-scripts'] ? 'with-scripts' : 'without-scripts', signal)
  const { tarball } = candidate.facts
  if (flags.integrity === undefined || flags.integrity === tarball) return candidate
  await candidate.discard()
  throw new CliError(
    'failure',
    `The tarball is ${tarball}, and not ${flags.integrity}`,
    'Do not use it before you know why',
  )
}

/** The command that installs exactly this without a question. */
export function exactCommand({ facts }: Pick<Candidate, 'facts'>, source: PluginSource, flags: InstallFlags): string {
  const what = source.kind === 'registry' ? `${facts.name}@${facts.version}` : quoted(source.spec)
  const scripts = flags['allow-scripts'] ? ' --allow-scripts' : ''
  return `bkp plugins:install ${what} --yes --integrity ${facts.tarball}${scripts}`
}
