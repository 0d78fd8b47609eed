import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Storage } from '@bkp/plugin-api'
import { expectPortRejection, randomLikeBytes } from '@bkp/testkit'
import { describe, expect, it } from 'vitest'
import { type OpenSsh, startOpenSsh } from './support/openssh.js'
import { hasServer } from './support/servers.js'
import { accessTo, newFolder, openSftp } from './support/sftp.js'

const bytes = randomLikeBytes(3_000_000)
const other = randomLikeBytes(1000, 2)
const isRoot = process.getuid?.() === 0

async function keysOf(storage: Storage): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of storage.list('')) keys.push(key)
  return keys.sort()
}

/** The names of all files below a folder, also those that are no objects. */
function filesBelow(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => !entry.isDirectory())
  return files.map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1)).sort()
}

async function withServer(
  sftpArguments: string,
  action: (open: (root?: string) => Promise<Storage>, root: string, server: OpenSsh) => Promise<void>,
): Promise<void> {
  const server = await startOpenSsh({ sftpArguments })
  const opened: Storage[] = []
  try {
    const folder = newFolder(server)
    const open = async (root = folder) => {
      const storage = await openSftp(server.url(root), accessTo(server))
      opened.push(storage)
      return storage
    }
    await action(open, folder, server)
  } finally {
    for (const storage of opened) await storage.close()
    await server.stop()
  }
}

/** Stores, replaces and refuses to replace, as a backup does. */
async function expectToBackUp(storage: Storage): Promise<void> {
  expect(storage.capabilities.conditionalCreate).toBe(true)
  await storage.put('packs/ab/object', bytes)
  await storage.put('snapshots/one', other, { ifAbsent: true })
  await expectPortRejection('already-exists', () => storage.put('snapshots/one', bytes, { ifAbsent: true }))
  await storage.put('sessions/one', bytes)
  await storage.put('sessions/one', other)
  expect(Buffer.compare(await storage.get('packs/ab/object'), bytes)).toBe(0)
  for (const key of ['snapshots/one', 'sessions/one']) expect(Buffer.compare(await storage.get(key), other)).toBe(0)
  expect(await keysOf(storage)).toEqual(['packs/ab/object', 'sessions/one', 'snapshots/one'])
}

async function expectOneWinner(storage: Storage): Promise<void> {
  const racers = Array.from({ length: 8 }, (_, n) =>
    storage.put('snapshots/race', randomLikeBytes(50_000, n), { ifAbsent: true }),
  )
  const outcomes = await Promise.allSettled(racers)
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
}

describe.runIf(hasServer('openssh'))('an OpenSSH server', () => {
  it('that denies removal takes backups whole, leaves nothing else, and says that it does not remove', () =>
    withServer('-P remove,rmdir', async (open, root) => {
      const storage = await open()
      await expectToBackUp(storage)
      await expectOneWinner(storage)
      await expectPortRejection('forbidden', () => storage.remove('packs/ab/object'))
      await storage.remove('never/there')
      expect(await keysOf(await open())).toContain('packs/ab/object')
      const temporary = filesBelow(root).filter((name) => name.startsWith('@tmp/'))
      // Of those who lost a race, what they had written stays under a name that nobody sees.
      expect(temporary.length).toBeLessThan(8)
    }))

  it.each([
    ['posix-rename', 'posix-rename'],
    ['fsync', 'fsync'],
    ['hard links', 'hardlink'],
    ['any extension', 'posix-rename,fsync,hardlink,statvfs,fstatvfs,limits,lsetstat'],
  ])('without %s takes backups, and leaves nothing else', (_name, denied) =>
    withServer(`-P ${denied}`, async (open, root) => {
      const storage = await open()
      await expectToBackUp(storage)
      await expectOneWinner(storage)
      await storage.remove('snapshots/race')
      expect(filesBelow(root)).toEqual(['packs/ab/object', 'sessions/one', 'snapshots/one'])
    }),
  )

  it('that only reads is read, and refuses all else as forbidden', () =>
    withServer('-R', async (open, root) => {
      mkdirSync(join(root, 'packs'))
      writeFileSync(join(root, 'packs/object'), bytes)
      const storage = await open()
      expect(Buffer.compare(await storage.get('packs/object'), bytes)).toBe(0)
      expect(await keysOf(storage)).toEqual(['packs/object'])
      for (const ifAbsent of [false, true])
        await expectPortRejection('forbidden', () => storage.put('packs/other', other, { ifAbsent }))
      await expectPortRejection('forbidden', () => storage.remove('packs/object'))
      expect(filesBelow(root)).toEqual(['packs/object'])
    }))

  it.runIf(isRoot)('with a full disk says quota, leaves nothing behind, and goes on when there is room', () =>
    withServer('', async (open, root) => {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'bkp-test', root])
      try {
        const storage = await open()
        await storage.put('packs/ab/first', bytes)
        for (const ifAbsent of [false, true]) {
          await expectPortRejection('quota', () =>
            storage.put('packs/cd/second', randomLikeBytes(9_000_000), { ifAbsent }),
          )
        }
        expect(filesBelow(root)).toEqual(['packs/ab/first'])
        await storage.put('packs/cd/second', bytes)
        expect(await keysOf(storage)).toEqual(['packs/ab/first', 'packs/cd/second'])
      } finally {
        execFileSync('umount', ['-l', root])
      }
    }),
  )

  it.runIf(isRoot)('with a disk without room for more files says quota', () =>
    withServer('', async (open, root) => {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m,nr_inodes=6', 'bkp-test', root])
      try {
        const storage = await open()
        const fill = async () => {
          for (let n = 0; n < 10; n++) await storage.put(`packs/${n}`, other)
        }
        await expectPortRejection('quota', fill)
      } finally {
        execFileSync('umount', ['-l', root])
      }
    }),
  )

  it.runIf(isRoot)('with a disk that is mounted read-only says forbidden', () =>
    withServer('', async (open, root) => {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'bkp-test', root])
      try {
        const storage = await open()
        await storage.put('packs/one', other)
        execFileSync('mount', ['-o', 'remount,ro', root])
        await expectPortRejection('forbidden', () => storage.put('packs/two', other))
        expect(await keysOf(storage)).toEqual(['packs/one'])
      } finally {
        execFileSync('umount', ['-l', root])
      }
    }),
  )

  it('has the folder made when it is created, and not when it is opened', () =>
    withServer('', async (open, root, server) => {
      const missing = join(root, 'disk/my döcs')
      await expectPortRejection('not-found', () => open(missing))
      expect(readdirSync(root)).toEqual([])
      const url = server.url(`${root}/disk/my%20d%C3%B6cs`)
      const creating = Array.from({ length: 4 }, () => openSftp(url, accessTo(server), { intent: 'create' }))
      for (const storage of await Promise.all(creating)) await storage.close()
      expect(readdirSync(root)).toEqual(['disk'])
      await (await open(missing)).put('bkp.json', other)
      rmSync(missing, { recursive: true })
      writeFileSync(missing, 'a file')
      await expectPortRejection('not-found', () => open(missing))
      await expectPortRejection('already-exists', () => openSftp(url, accessTo(server), { intent: 'create' }))
    }))

  it('does not get its folder back when it is gone in the middle of a run, as a disk that was pulled out', () =>
    withServer('', async (open, root) => {
      const storage = await open()
      await storage.put('packs/ab/object', other)
      rmSync(root, { recursive: true })
      for (const key of ['packs/ab/other', 'packs/cd/other', 'bkp.json'])
        await expectPortRejection('not-found', () => storage.put(key, other))
      await expectPortRejection('not-found', () => keysOf(storage))
      mkdirSync(root)
      await storage.put('packs/ab/object', other)
      expect(filesBelow(root)).toEqual(['packs/ab/object'])
    }))

  it('is not led outside by links, and lists only what are objects', () =>
    withServer('', async (open, root, server) => {
      const outside = join(server.folder, 'outside')
      mkdirSync(outside)
      writeFileSync(join(outside, 'secret'), 'of someone else')
      const storage = await open()
      await storage.put('packs/ab/object', other)
      symlinkSync(join(outside, 'secret'), join(root, 'packs/ab/link'))
      execFileSync('mkfifo', [join(root, 'packs/ab/pipe')])
      for (const name of ['a file', 'Thumbs.db~', 'packs/ümlaut', 'x'.repeat(129)]) writeFileSync(join(root, name), 'x')
      expect(await keysOf(storage)).toEqual(['packs/ab/object'])
      for (const key of ['packs/ab/link', 'packs/ab/pipe', 'packs']) {
        await expectPortRejection('not-found', () => storage.get(key))
        await expectPortRejection('not-found', () => storage.stat(key))
        await storage.remove(key)
      }
      symlinkSync(outside, join(root, 'index'))
      await expectPortRejection('unsupported', () => storage.put('index/secret', other))
      await expectPortRejection('unsupported', () => storage.get('index/secret'))
      await expectPortRejection('unsupported', () => keysOf(storage))
      expect(filesBelow(outside)).toEqual(['secret'])
    }))

  it('is reached below the login folder by ~', async () => {
    const server = await startOpenSsh({ sftpArguments: '-d /tmp' })
    const home = newFolder(server)
    try {
      const below = home.slice('/tmp/'.length)
      const storage = await openSftp(server.url(`/~/${below}/bkp`), accessTo(server), { intent: 'create' })
      await storage.put('bkp.json', other)
      await storage.close()
      expect(filesBelow(home)).toEqual(['bkp/bkp.json'])
    } finally {
      await server.stop()
    }
  })

  it('loses temporary files that are older than a day by its own clock, and no others', () =>
    withServer('', async (open, root) => {
      mkdirSync(join(root, '@tmp'))
      const dayMs = 24 * 60 * 60_000
      for (const [name, ageMs] of [
        ['old', dayMs + 60_000],
        ['young', dayMs - 60_000],
      ] as const) {
        const changed = new Date(Date.now() - ageMs)
        writeFileSync(join(root, '@tmp', name), 'half of an obj')
        utimesSync(join(root, '@tmp', name), changed, changed)
      }
      await open()
      expect(filesBelow(root)).toEqual(['@tmp/young'])
    }))

  it('that denies removal keeps old temporary files, and is opened all the same', () =>
    withServer('-P remove', async (open, root) => {
      mkdirSync(join(root, '@tmp'))
      writeFileSync(join(root, '@tmp/old'), 'half of an obj')
      utimesSync(join(root, '@tmp/old'), new Date(0), new Date(0))
      for (let run = 0; run < 3; run++) await open()
      expect(filesBelow(root)).toEqual(['@tmp/clock', '@tmp/old'])
    }))
})
