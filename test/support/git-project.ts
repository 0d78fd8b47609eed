import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { randomLikeBytes, textLikeBytes } from '@bkp/testkit'

const identity = ['-c', 'user.name=Ann', '-c', 'user.email=ann@example.org']

/** A bare git repository `project.git` of some megabytes, with a working tree beside it. */
export function makeGitProject(folder: string) {
  const work = join(folder, 'work')
  const repository = join(folder, 'project.git')
  const git = (...args: readonly string[]) =>
    execFileSync('git', [...identity, ...args], { cwd: work, encoding: 'utf8', stdio: 'pipe' }).trim()
  mkdirSync(work, { recursive: true })
  git('init', '-q', '-b', 'main')
  git('init', '-q', '-b', 'main', '--bare', repository)
  const commit = (name: string, content: Uint8Array) => {
    writeFileSync(join(work, name), content)
    git('add', name)
    git('commit', '-q', '-m', `Change ${name}`)
    git('push', '-q', '--all', repository)
  }
  for (const n of [1, 2, 3]) commit('letters', textLikeBytes(300_000 * n, n))
  for (const n of [4, 5, 6]) commit(`photo-${n}`, randomLikeBytes(2_000_000, n))
  git('--git-dir', repository, 'gc', '-q')
  return {
    repository,
    head: () => git('rev-parse', 'HEAD'),
    change: () => commit('letters', textLikeBytes(310_000, 9)),
    /** What a clone of a bundle has checked out, and what is wrong with it. */
    clone(bundle: string): { readonly head: string; readonly fsck: string } {
      const target = join(folder, 'clone')
      git('clone', '-q', bundle, target)
      return { head: git('-C', target, 'rev-parse', 'HEAD'), fsck: git('-C', target, 'fsck', '--strict') }
    },
  }
}
