import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const someone = { NAME: 'Ann', EMAIL: 'ann@example.org', DATE: '2026-01-01T00:00:00Z' }
const env = {
  ...process.env,
  GIT_CONFIG_GLOBAL: '/dev/null',
  ...Object.fromEntries(
    Object.entries(someone).flatMap(([name, value]) => [
      [`GIT_AUTHOR_${name}`, value],
      [`GIT_COMMITTER_${name}`, value],
    ]),
  ),
}

/** A bare repository in a folder of its own, which is filled from a working tree beside it. */
export function makeRepository(...options: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'bkp-git-'))
  const work = join(folder, 'work')
  const repository = join(folder, 'project.git')
  const git = (...args: readonly string[]) =>
    execFileSync('git', args, { cwd: work, env, encoding: 'utf8', stdio: 'pipe' })
  execFileSync('git', ['init', '-q', '-b', 'main', ...options, work])
  execFileSync('git', ['init', '-q', '-b', 'main', ...options, '--bare', repository])
  return {
    folder,
    repository,
    /** In the working tree. */
    git,
    /** Commits a file, and pushes all branches and tags. */
    commit(name: string, content: string | Uint8Array): void {
      writeFileSync(join(work, name), content)
      git('add', name)
      git('commit', '-q', '-m', `Change ${name}`)
      this.push()
    },
    push(): void {
      git('push', '-q', '--all', repository)
      git('push', '-q', '--tags', repository)
    },
    /** What git makes itself. */
    bundle(): Uint8Array {
      const file = join(folder, 'expected.bundle')
      execFileSync('git', ['-C', repository, '-c', 'pack.threads=1', 'bundle', 'create', '-q', file, '--all'])
      return readFileSync(file)
    },
    dispose: () => rmSync(folder, { recursive: true, force: true }),
  }
}

export type Repository = ReturnType<typeof makeRepository>
