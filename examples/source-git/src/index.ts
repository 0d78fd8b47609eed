import { spawnSync } from 'node:child_process'
import { isAbsolute } from 'node:path'
import { PortError, type SourceModule } from '@bkp/plugin-api'
import { GitSource } from './git-source.js'

/** A git repository as one file, a bundle of all its refs. bkp imports this module inside its worker threads. */
const git: SourceModule = {
  id: 'git',
  limitations: () => (spawnSync('git', ['--version']).error === undefined ? [] : ['git is not installed']),
  openSource({ configuration: { repository } }) {
    if (typeof repository === 'string' && isAbsolute(repository)) return new GitSource(repository)
    throw new PortError('config', `The source "git" needs the absolute path of a repository, not ${String(repository)}`)
  },
}

export default git
