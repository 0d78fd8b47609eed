import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isPortError } from '@bkp/plugin-api'
import { expectPortRejection, randomLikeBytes } from '@bkp/testkit'
import { describe, expect, it } from 'vitest'
import { refuseUnmounted } from './mounts.js'
import { openFolder } from './testing/open-folder.js'
import {
  canMountExfat,
  filesBelow,
  ownsMachine,
  withExfatDisk,
  withFolder,
  withSmallDisk,
} from './testing/temporary-folder.js'

const bytes = randomLikeBytes(100_000)

describe.runIf(canMountExfat())('a disk without hard links (exFAT)', () => {
  it('takes, gives, replaces and removes objects', () =>
    withExfatDisk(async (disk) => {
      const storage = await openFolder(join(disk, 'backup'), 'create')
      await storage.put('packs/ab/object', bytes, { ifAbsent: true })
      await storage.put('sessions/one', bytes)
      await storage.put('sessions/one', Buffer.from('new'))
      await expectPortRejection('already-exists', () => storage.put('packs/ab/object', bytes, { ifAbsent: true }))
      expect(Buffer.compare(await storage.get('packs/ab/object'), bytes)).toBe(0)
      expect(Buffer.from(await storage.get('sessions/one')).toString()).toBe('new')
      expect(readdirSync(join(disk, 'backup/@tmp'))).toEqual([])
      await storage.remove('sessions/one')
      expect(filesBelow(join(disk, 'backup'))).toEqual(['packs/ab/object'])
    }))

  it('gives a name that must not replace to one of many writers, whose bytes are there whole', () =>
    withExfatDisk(async (disk) => {
      const storages = await Promise.all(Array.from({ length: 8 }, () => openFolder(disk)))
      for (let round = 0; round < 5; round++) {
        const key = `snapshots/${round}`
        const outcomes = await Promise.allSettled(
          storages.map((storage, n) => storage.put(key, randomLikeBytes(50_000, n), { ifAbsent: true })),
        )
        const winners = outcomes.flatMap(({ status }, n) => (status === 'fulfilled' ? [n] : []))
        expect(winners).toHaveLength(1)
        for (const outcome of outcomes)
          if (outcome.status === 'rejected')
            expect(isPortError(outcome.reason) && outcome.reason.code).toBe('already-exists')
        const there = await (await openFolder(disk)).get(key)
        expect(Buffer.compare(there, randomLikeBytes(50_000, winners[0]))).toBe(0)
      }
      expect(readdirSync(join(disk, '@tmp'))).toEqual([])
    }))

  it('lets a writer that waits for another stop at once', () =>
    withExfatDisk(async (disk) => {
      const storage = await openFolder(disk)
      await storage.put('other', bytes)
      const claim = `claim-${createHash('sha256').update('key').digest('hex').slice(0, 32)}`
      writeFileSync(join(disk, '@tmp', claim), '')
      const signal = AbortSignal.timeout(100)
      await expect(storage.put('key', bytes, { ifAbsent: true, signal })).rejects.toThrow()
      expect(readdirSync(join(disk, '@tmp'))).toEqual([claim])
    }))
})

describe.runIf(ownsMachine)('a disk that is unmounted while a repository is open', () => {
  it('gets nothing written into its mount point, and nothing there is taken for lost', () =>
    withFolder(async (folder) => {
      const mount = () => execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'bkp-test', folder])
      mount()
      const storage = await openFolder(folder)
      await storage.put('packs/ab/object', bytes)
      execFileSync('umount', [folder])
      await expectPortRejection('offline', () => storage.put('packs/ab/second', bytes))
      await expectPortRejection('offline', () => storage.get('packs/ab/object'))
      await expectPortRejection('offline', () => storage.stat('packs/ab/object'))
      await expectPortRejection('offline', () => storage.remove('packs/ab/object'))
      await expectPortRejection('offline', async () => {
        for await (const _object of storage.list(''));
      })
      expect(readdirSync(folder)).toEqual([])
    }))
})

describe('a folder that is moved away while a repository is open', () => {
  it('gets nothing written into the one that was made in its place', () =>
    withFolder(async (folder) => {
      const root = join(folder, 'repository')
      const storage = await openFolder(root, 'create')
      await storage.put('packs/ab/object', bytes)
      renameSync(root, join(folder, 'away'))
      mkdirSync(root)
      for (const key of ['packs/ab/second', 'packs/cd/third', 'index/one'])
        await expectPortRejection('offline', () => storage.put(key, bytes))
      expect(filesBelow(root)).toEqual([])
    }))
})

describe.runIf(ownsMachine)('another disk inside of a repository', () => {
  it('is refused by name: an object cannot be renamed onto it', () =>
    withSmallDisk('size=4m', async ({ folder }) => {
      mkdirSync(join(folder, 'packs'))
      execFileSync('mount', ['-t', 'tmpfs', 'bkp-test', join(folder, 'packs')])
      try {
        const storage = await openFolder(folder)
        for (const ifAbsent of [false, true])
          await expectPortRejection('unsupported', () => storage.put('packs/ab/object', bytes, { ifAbsent }))
        await storage.put('index/one', bytes)
        expect(filesBelow(folder)).toEqual(['index/one'])
      } finally {
        execFileSync('umount', [join(folder, 'packs')])
      }
    }))
})

describe('a repository is not begun where a disk is not mounted', () => {
  const tables = async (action: (at: (name: string) => string, tables: { fstab: string; mounts: string }) => unknown) =>
    withFolder(async (folder) => {
      const at = (name: string) => join(folder, name)
      const escaped = folder.replaceAll(' ', '\\040')
      writeFileSync(
        at('fstab'),
        `# comment\n/dev/sda1 / ext4 defaults 0 1\nUUID=x ${escaped}/my\\040disk ext4 noauto 0 2\nnas:/x ${escaped}/nas/ nfs defaults 0 0\n/dev/y none swap sw 0 0\n`,
      )
      writeFileSync(at('mounts'), `/dev/sda1 / ext4 rw 0 0\nnas:/x ${escaped}/nas nfs rw 0 0\n`)
      await action(at, { fstab: at('fstab'), mounts: at('mounts') })
    })

  it('by the table of disks, fstab', () =>
    tables(async (at, { fstab, mounts }) => {
      for (const path of ['my disk', 'my disk/a/b'])
        await expect(refuseUnmounted(at(path), { fstab, mounts })).rejects.toMatchObject({
          code: 'not-found',
          message: `No disk is mounted at ${at('my disk')}, a mount point of /etc/fstab`,
          hint: `Mount it: mount '${at('my disk')}'`,
        })
      for (const path of ['my disk2', 'nas', 'nas/backup', 'elsewhere']) {
        await expect(refuseUnmounted(at(path), { fstab, mounts })).resolves.toBeUndefined()
      }
    }))

  it('by the folders of desktops, which are there only while the disk is', async () => {
    const path = '/run/media/nobody-of-this-name/DISK/backup'
    await expectPortRejection('not-found', () => openFolder(path, 'create'))
    expect(existsSync('/run/media/nobody-of-this-name')).toBe(false)
  })

  it('and where nothing is known of disks, every folder is taken', () =>
    withFolder(async (folder) => {
      const nothing = { fstab: join(folder, 'no-table'), mounts: join(folder, 'no-list') }
      await expect(refuseUnmounted(join(folder, 'x'), nothing)).resolves.toBeUndefined()
    }))
})
