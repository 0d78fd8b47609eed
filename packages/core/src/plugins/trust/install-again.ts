import { inShell } from '../../in-shell.js'
import { type Approval, homeOf } from './approvals.js'

/**
 * The command that installs a plugin once more, from where it came: whoever has its name in the registry may be somebody else.
 * @returns undefined where nothing but the installed files is known
 */
export function installAgain(dataDirectory: string, { name, source }: Approval): string | undefined {
  const { kind, spec } = source
  const isItself = kind === 'folder' && spec.startsWith(homeOf(dataDirectory, name))
  if (isItself || !['registry', 'tarball', 'folder', 'url', 'git'].includes(kind)) return undefined
  return `bkp plugins:install ${inShell(kind === 'git' ? `git+${spec}` : spec)}`
}
