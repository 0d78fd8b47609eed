// How each tool does the same five things.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { measure } from './measure.mjs'

const bkp = fileURLToPath(new URL('../../packages/cli/bin/run.js', import.meta.url))
const secret = 'bench'

function versionOf(program, args) {
  const { status, stdout } = spawnSync(program, args, { encoding: 'utf8' })
  return status === 0 ? stdout.split('\n')[0] : undefined
}

/** A tool whose commands differ by phase in their arguments only. */
function tool(name, program, versionArgs, env, argsOf, prefix = []) {
  const command = (phase, repository, source, target) => ({
    program,
    args: [...prefix, ...argsOf(phase, repository, source, target)],
    env,
    ...(phase === 'restore' ? { cwd: target } : {}),
  })
  return {
    name,
    version: () => versionOf(program, [...prefix, ...versionArgs]),
    versionCommand: () => ({ program, args: [...prefix, ...versionArgs] }),
    init: (repository) => measure(command('init', repository)),
    command,
  }
}

const isBackup = (phase) => phase === 'first backup' || phase === 'nothing changed' || phase === '1% changed'
let archive = 0

export const tools = [
  tool(
    'bkp',
    process.execPath,
    ['--version'],
    { BKP_PASSWORD: secret },
    (phase, repository, source, target) => {
      if (phase === 'init') return ['init', '--to', repository]
      if (isBackup(phase)) return ['backup', source, '--to', repository]
      if (phase === 'restore') return ['restore', 'latest', '--from', repository, '--target', target]
      return ['check', '--from', repository, '--read-data']
    },
    [bkp],
  ),
  tool('restic', 'restic', ['version'], { RESTIC_PASSWORD: secret }, (phase, repository, source, target) => {
    if (phase === 'init') return ['init', '-q', '-r', repository]
    if (isBackup(phase)) return ['backup', '-q', '-r', repository, source]
    if (phase === 'restore') return ['restore', '-q', '-r', repository, 'latest', '--target', target]
    return ['check', '-q', '-r', repository, '--read-data']
  }),
  tool(
    'borg',
    'borg',
    ['--version'],
    {
      BORG_PASSPHRASE: secret,
      BORG_BASE_DIR: join('/tmp', 'bkp-bench-borg'),
      BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK: 'yes',
    },
    (phase, repository, source) => {
      if (phase === 'init') return ['init', '-e', 'repokey', repository]
      if (isBackup(phase)) return ['create', '-C', 'zstd,1', `${repository}::a${archive++}`, source]
      if (phase === 'restore') return ['extract', `${repository}::a${archive - 1}`]
      return ['check', '--verify-data', repository]
    },
  ),
]
