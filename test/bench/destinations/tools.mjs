// How each tool sends a folder to a server, and gets it back.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const bkp = fileURLToPath(new URL('../../../packages/cli/bin/run.js', import.meta.url))
export const secret = 'bench'

const versionOf = (program, args) => {
  const { status, stdout } = spawnSync(program, args, { encoding: 'utf8' })
  return status === 0 ? stdout.split('\n')[0] : undefined
}

/**
 * @param places for each tool where it stores: `url` of bkp and restic, `remote` of rclone, with `args` and `env`
 * @param work folder for caches, so that nobody profits from an earlier run
 */
export function toolsFor(places, work) {
  const cache = (name) => join(work, `cache-${name}`)
  return [
    {
      name: 'bkp',
      version: () => versionOf(process.execPath, [bkp, '--version']),
      commands({ url, env }, source, target) {
        const run = (...args) => ({
          program: process.execPath,
          args: [bkp, ...args],
          env: { BKP_PASSWORD: secret, BKP_CACHE_DIR: cache('bkp'), XDG_CONFIG_HOME: '/nonexistent', ...env },
        })
        return {
          init: run('init', '--to', url),
          backup: run('backup', source, '--to', url),
          restore: run('restore', `latest:${source}`, '--from', url, '--target', target),
        }
      },
    },
    {
      name: 'restic',
      version: () => versionOf('restic', ['version']),
      commands({ url, env, args }, source, target) {
        const run = (...more) => ({
          program: 'restic',
          args: ['-q', '-r', url, ...args, ...more],
          env: { RESTIC_PASSWORD: secret, RESTIC_CACHE_DIR: cache('restic'), ...env },
        })
        return {
          init: run('init'),
          backup: run('backup', source),
          restore: run('restore', 'latest', '--target', target),
        }
      },
    },
    {
      name: 'rclone',
      version: () => versionOf('rclone', ['version']),
      commands({ remote, env }, source, target) {
        const run = (...args) => ({ program: 'rclone', args, env: { RCLONE_CONFIG: '', ...env } })
        return { backup: run('copy', source, remote), restore: run('copy', remote, target) }
      },
    },
  ]
    .filter((tool) => tool.version() !== undefined)
    .map((tool) => ({ ...tool, place: places[tool.name] }))
}
