import { execFileSync } from 'node:child_process'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Storage } from '@bkp/plugin-api'
import { expectPortRejection } from '@bkp/testkit'
import { describe, expect, it } from 'vitest'
import { openFolder } from './testing/open-folder.js'
import { withFolder } from './testing/temporary-folder.js'

const bytes = Buffer.from('an object')

async function keysOf(storage: Storage, prefix = ''): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of storage.list(prefix)) keys.push(key)
  return keys.sort()
}

/** Objects live in `repository`; `outside` is no part of it. */
function withRepository(action: (repository: string, outside: string) => Promise<void>): Promise<void> {
  return withFolder(async (folder) => {
    const [repository, outside] = [join(folder, 'repository'), join(folder, 'outside')]
    mkdirSync(repository)
    mkdirSync(outside)
    writeFileSync(join(outside, 'secret'), 'of someone else')
    await action(repository, outside)
    expect(readdirSync(outside)).toEqual(['secret'])
    expect(readFileSync(join(outside, 'secret'), 'utf8')).toBe('of someone else')
  })
}

describe('the folder of a repository', () => {
  it('must be there to be opened, and is not made', () =>
    withFolder(async (folder) => {
      const missing = join(folder, 'disk/repository')
      await expectPortRejection('not-found', () => openFolder(missing))
      await expect(openFolder(missing)).rejects.toMatchObject({
        message: `There is no folder ${missing}`,
        hint: 'Check the path, and that the disk is mounted',
      })
      expect(existsSync(join(folder, 'disk'))).toBe(false)
    }))

  it('is left as it was by who removes again what it stored, and keeps folders that were there or are in use', () =>
    withRepository(async (repository) => {
      mkdirSync(join(repository, 'packs'))
      const [first, second] = [await openFolder(repository), await openFolder(repository)]
      await first.put('sessions/ab', bytes)
      await first.put('packs/ab', bytes)
      await second.put('sessions/cd', bytes)
      for (const key of ['sessions/ab', 'packs/ab']) await first.remove(key)
      await first.close()
      expect(readdirSync(repository).sort()).toEqual(['@tmp', 'packs', 'sessions'])
      const third = await openFolder(repository)
      await third.put('index/ab', bytes)
      await third.remove('index/ab')
      await third.close()
      expect(await keysOf(second)).toEqual(['sessions/cd'])
      expect(readdirSync(repository).sort()).toEqual(['@tmp', 'packs', 'sessions'])
    }))

  it('stores on where another removed an empty folder in between', () =>
    withRepository(async (repository) => {
      const [first, second] = [await openFolder(repository), await openFolder(repository)]
      for (const storage of [first, second]) await storage.put('sessions/ab', bytes)
      await second.remove('sessions/ab')
      await first.close()
      expect(readdirSync(repository)).toEqual([])
      await second.put('sessions/cd', bytes)
      expect(await keysOf(second)).toEqual(['sessions/cd'])
    }))

  it('must be a folder', () =>
    withFolder(async (folder) => {
      writeFileSync(join(folder, 'file'), '')
      await expectPortRejection('not-found', () => openFolder(join(folder, 'file')))
      await expectPortRejection('not-found', () => openFolder(join(folder, 'file/repository')))
      await expectPortRejection('already-exists', () => openFolder(join(folder, 'file'), 'create'))
    }))

  it('is made with those above it on request, for its owner alone', () =>
    withFolder(async (folder) => {
      const repository = join(folder, 'disk/repository')
      await (await openFolder(repository, 'create')).put('packs/ab/object', bytes)
      for (const path of ['', 'packs', 'packs/ab']) expect(lstatSync(join(repository, path)).mode & 0o777).toBe(0o700)
      expect(lstatSync(join(repository, 'packs/ab/object')).mode & 0o777).toBe(0o600)
      expect(await keysOf(await openFolder(repository, 'create'))).toEqual(['packs/ab/object'])
    }))

  it('may be told as a URL, may have any name, and may be reached by a link', () =>
    withFolder(async (folder) => {
      const repository = join(folder, 'my döcs & 100 % #1')
      await (await openFolder(pathToFileURL(repository).href, 'create')).put('bkp.json', bytes)
      symlinkSync(repository, join(folder, 'link'))
      for (const url of [repository, join(folder, 'link')]) {
        expect(await keysOf(await openFolder(url))).toEqual(['bkp.json'])
      }
    }))

  it('is not made again when it is gone in the middle of a run, as a disk that was pulled out', () =>
    withRepository(async (repository) => {
      const storage = await openFolder(repository)
      await storage.put('packs/ab/object', bytes)
      rmSync(repository, { recursive: true })
      for (const key of ['packs/ab/other', 'packs/cd/other', 'bkp.json']) {
        await expect(storage.put(key, bytes)).rejects.toMatchObject({
          code: 'not-found',
          message: `There is no folder ${repository}`,
        })
      }
      await expectPortRejection('not-found', () => keysOf(storage))
      await expectPortRejection('not-found', () => keysOf(storage, 'packs/'))
      expect(existsSync(repository)).toBe(false)
    }))
})

describe('a link within a repository', () => {
  it('to a file outside is no object, and what it leads to is neither read nor written', () =>
    withRepository(async (repository, outside) => {
      const storage = await openFolder(repository)
      await storage.put('packs/ab/object', bytes)
      const path = join(repository, 'packs/ab/link')
      symlinkSync(join(outside, 'secret'), path)
      await expectPortRejection('not-found', () => storage.get('packs/ab/link'))
      await expectPortRejection('not-found', () => storage.stat('packs/ab/link'))
      expect(await keysOf(storage)).toEqual(['packs/ab/object'])
      await storage.remove('packs/ab/link')
      await storage.put('packs/ab/link', bytes)
      expect(lstatSync(path).isFile()).toBe(true)
      expect(await keysOf(storage)).toEqual(['packs/ab/link', 'packs/ab/object'])
    }))

  it.each(['packs', 'packs/ab'])('to a folder outside is refused by name: %s', (name) =>
    withRepository(async (repository, outside) => {
      if (name === 'packs/ab') mkdirSync(join(repository, 'packs'))
      symlinkSync(outside, join(repository, name))
      const storage = await openFolder(repository)
      const refusal = {
        code: 'unsupported',
        message: expect.stringContaining(`${join(repository, name)} is a symbolic`),
      }
      await expect(storage.put('packs/ab/secret', bytes)).rejects.toMatchObject(refusal)
      await expect(storage.get('packs/ab/secret')).rejects.toMatchObject(refusal)
      await expect(storage.stat('packs/ab/secret')).rejects.toMatchObject(refusal)
      await expect(storage.remove('packs/ab/secret')).rejects.toMatchObject(refusal)
      for (const prefix of ['', 'packs', 'packs/', 'packs/ab', 'packs/ab/', 'packs/ab/s']) {
        await expect(keysOf(storage, prefix)).rejects.toMatchObject(refusal)
      }
      await storage.put('index/one', bytes)
      expect(await keysOf(storage, 'index/')).toEqual(['index/one'])
    }),
  )

  it('as the place of temporary files is refused', () =>
    withRepository(async (repository, outside) => {
      symlinkSync(outside, join(repository, '@tmp'))
      const storage = await openFolder(repository)
      await expectPortRejection('unsupported', () => storage.put('bkp.json', bytes))
    }))
})

describe('what else may lie in the folder', () => {
  it('is not listed, and does not stop anyone: other names, folders, pipes and sockets', () =>
    withRepository(async (repository) => {
      const storage = await openFolder(repository)
      await storage.put('packs/ab/object', bytes)
      for (const name of ['Thumbs.db~', 'a file', 'packs/ab/ümlaut', 'lost+found']) {
        writeFileSync(join(repository, name), 'not ours')
      }
      writeFileSync(join(repository, 'x'.repeat(129)), 'not ours')
      mkdirSync(join(repository, 'empty/folder'), { recursive: true })
      execFileSync('mkfifo', [join(repository, 'packs/ab/pipe')])
      symlinkSync('nowhere', join(repository, 'packs/ab/dangling'))
      const server = createServer().listen(join(repository, 'socket'))
      await new Promise((resolve) => server.once('listening', resolve))
      try {
        expect(await keysOf(storage)).toEqual(['packs/ab/object'])
        for (const key of ['empty', 'empty/folder', 'packs/ab/pipe', 'packs/ab/dangling', 'socket']) {
          await expectPortRejection('not-found', () => storage.get(key))
          await expectPortRejection('not-found', () => storage.stat(key))
          await storage.remove(key)
        }
      } finally {
        server.close()
      }
    }))

  it('is also an object in the way of another, which unlike in a bucket cannot be stored', () =>
    withRepository(async (repository) => {
      const storage = await openFolder(repository)
      await storage.put('a', bytes)
      await storage.put('b/c', bytes)
      for (const ifAbsent of [false, true]) {
        await expectPortRejection('unsupported', () => storage.put('a/b', bytes, { ifAbsent }))
        await expectPortRejection('unsupported', () => storage.put('a/b/c', bytes, { ifAbsent }))
        await expectPortRejection('unsupported', () => storage.put('b', bytes, { ifAbsent }))
      }
      expect(await keysOf(storage)).toEqual(['a', 'b/c'])
      expect(readdirSync(join(repository, '@tmp'))).toEqual([])
    }))

  it('cannot be reached by what is not a key', () =>
    withRepository(async (repository) => {
      const storage = await openFolder(repository)
      const traversals = [
        '',
        '/',
        '.',
        '..',
        '../outside/secret',
        'a/../../outside/secret',
        '/etc/passwd',
        'a//b',
        'a/',
      ]
      for (const key of [...traversals, 'ä', 'a b', 'a\0b', '@tmp/x', 'x'.repeat(129), 'a/'.repeat(256).concat('a')]) {
        await expectPortRejection('config', () => storage.get(key))
        await expectPortRejection('config', () => storage.put(key, bytes))
        await expectPortRejection('config', () => storage.remove(key))
      }
      for (const prefix of ['../', '../outside/', '/', '/etc/', './']) expect(await keysOf(storage, prefix)).toEqual([])
    }))
})
