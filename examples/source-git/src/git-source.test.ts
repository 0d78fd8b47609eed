import { execFileSync } from 'node:child_process'
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expectPortRejection, randomLikeBytes } from '@bkp/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { GitSource } from './git-source.js'
import { makeRepository, type Repository } from './testing/repository.js'

let made: Repository
beforeEach(() => {
  made = makeRepository()
})
afterEach(() => made.dispose())

const root = Buffer.from('/')
const bundlePath = Buffer.from('/project.bundle')

async function readBundle(source = new GitSource(made.repository)): Promise<Buffer> {
  const reader = await source.openFile(bundlePath, await source.inspect(bundlePath))
  const pieces: Buffer[] = []
  for (;;) {
    const into = Buffer.alloc(65_536)
    const count = await reader.read(into)
    if (count === 0) break
    pieces.push(into.subarray(0, count))
  }
  expect(await reader.close()).toBe('stable')
  return Buffer.concat(pieces)
}

function clone(bundle: Uint8Array, name = 'clone'): (...args: readonly string[]) => string {
  writeFileSync(join(made.folder, 'restored.bundle'), bundle)
  execFileSync('git', ['clone', '-q', 'restored.bundle', name], { cwd: made.folder, stdio: 'pipe' })
  return (...args) => execFileSync('git', args, { cwd: join(made.folder, name), encoding: 'utf8' })
}

/** Names and ids of branches, without the remote that they belong to. */
const branchesOf = (git: (...args: readonly string[]) => string, where: string, parts: number) =>
  git('for-each-ref', `--format=%(objectname) %(refname:lstrip=${parts})`, where)
    .split('\n')
    .filter((line) => line !== '' && !line.endsWith(' HEAD'))

describe('the bundle of a repository', () => {
  it('can be cloned: all branches, tags and files are there', async () => {
    made.commit('letter', 'one')
    made.git('tag', '-a', '-m', 'The first', 'v1')
    made.git('switch', '-q', '-c', 'feature/other')
    made.commit('letter', 'two')
    const cloned = clone(await readBundle())
    expect(branchesOf(cloned, 'refs/remotes/origin', 3)).toEqual(branchesOf(made.git, 'refs/heads', 2))
    expect(cloned('rev-parse', 'v1')).toBe(made.git('rev-parse', 'v1'))
    expect(cloned('show', 'origin/feature/other:letter')).toBe('two')
    expect(cloned('symbolic-ref', '--short', 'HEAD').trim()).toBe('main')
    cloned('fsck', '--strict')
  })

  it('can be cloned where objects are named by SHA-256', async () => {
    made.dispose()
    made = makeRepository('--object-format=sha256')
    made.commit('letter', 'one')
    expect(clone(await readBundle())('rev-parse', 'HEAD')).toBe(made.git('rev-parse', 'HEAD'))
  })

  it('is the same, byte for byte, as long as nothing changes', async () => {
    for (const n of [1, 2, 3]) made.commit('letter', randomLikeBytes(20_000, n))
    expect(Buffer.compare(await readBundle(), await readBundle())).toBe(0)
  })

  it('is of the moment of the first look, whatever is pushed meanwhile', async () => {
    made.commit('letter', 'one')
    const source = new GitSource(made.repository)
    await source.inspect(root)
    const before = made.git('rev-parse', 'HEAD')
    made.commit('letter', 'two')
    const cloned = clone(await readBundle(source))
    expect(cloned('rev-parse', 'HEAD')).toBe(before)
  })

  it('is read the same of a working tree', async () => {
    made.commit('letter', 'one')
    const source = new GitSource(join(made.folder, 'work', '.git'))
    const directory = await source.openDirectory(root)
    expect((await directory.list()).map(({ name }) => Buffer.from(name).toString())).toEqual(['work.bundle'])
  })

  it('is not there before the first commit', async () => {
    const directory = await new GitSource(made.repository).openDirectory(root)
    expect(await directory.list()).toEqual([])
    await expectPortRejection('not-found', () => readBundle())
  })

  it('is corrupt when an object is missing, and not half a bundle', async () => {
    for (const n of [1, 2, 3]) made.commit('letter', randomLikeBytes(20_000, n))
    const blob = made.git('rev-parse', 'HEAD~1:letter').trim()
    const objects = join(made.repository, 'objects')
    expect(readdirSync(join(objects, blob.slice(0, 2)))).toContain(blob.slice(2))
    rmSync(join(objects, blob.slice(0, 2), blob.slice(2)))
    await expectPortRejection('corrupt', () => readBundle())
  })
})

describe('what is no repository', () => {
  it('is not-found, also in a folder of one', async () => {
    made.commit('letter', 'one')
    for (const path of ['/nonexistent', made.folder, join(made.repository, 'objects', 'pack')]) {
      await expectPortRejection('not-found', async () => new GitSource(path).inspect(root))
    }
  })

  it('is unsupported when it holds a part of its history alone', async () => {
    for (const content of ['one', 'two']) made.commit('letter', content)
    const shallow = join(made.folder, 'shallow')
    execFileSync('git', ['clone', '-q', '--depth=1', `file://${made.repository}`, shallow], { stdio: 'pipe' })
    await expectPortRejection('unsupported', async () => new GitSource(shallow).inspect(root))
  })
})
