import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isPortError, Secret, type Storage } from '@bkp/plugin-api'
import { expectPortRejection, randomLikeBytes } from '@bkp/testkit'
import { describe, expect, it } from 'vitest'
import { type ApacheOptions, startApache } from './support/apache.js'
import { startNginx } from './support/nginx.js'
import { hasServer } from './support/servers.js'
import type { WebServer } from './support/web-server.js'
import { openWebdav } from './support/webdav.js'

const large = randomLikeBytes(64_000_000, 3)
const small = Buffer.from('small')

async function withServer(start: () => Promise<WebServer>, action: (server: WebServer) => Promise<void>) {
  const server = await start()
  try {
    await action(server)
  } finally {
    await server.stop()
  }
}

const urlOf = ({ port }: WebServer) => `webdav://127.0.0.1:${port}/r`

async function listed(storage: Storage): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of storage.list('')) keys.push(key)
  return keys.sort()
}

async function failureOf(action: () => Promise<unknown>): Promise<{ code: string; message: string; hint: string }> {
  try {
    await action()
  } catch (error) {
    if (isPortError(error)) return { code: error.code, message: error.message, hint: error.hint ?? '' }
    throw error
  }
  return { code: 'nothing was thrown', message: '', hint: '' }
}

/** All files of a repository on the server, temporary ones as well. */
function filesOf({ documents }: WebServer): string[] {
  const entries = readdirSync(join(documents, 'r'), { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name)
    .sort()
}

// As the README of the plugin has it.
const withoutDelete: ApacheOptions = {
  login: { scheme: 'basic', username: 'ann', password: 'secret of ann' },
  directives: 'AuthzSendForbiddenOnFailure On',
  requirements: `
    Require method GET HEAD OPTIONS PROPFIND PUT MKCOL
    Require expr "! (%{REQUEST_METHOD} == 'PUT' && -f %{REQUEST_FILENAME})"`,
}
const login = { username: 'ann', password: new Secret('secret of ann') }

describe.runIf(hasServer('apache'))('an account of Apache that may neither delete nor overwrite', () => {
  it('can put, get and list; remove and overwriting are forbidden, and nothing changes', () =>
    withServer(
      () => startApache(withoutDelete),
      async (server) => {
        const storage = await openWebdav(urlOf(server), login, 'create')
        await storage.put('packs/aa/one', small)
        await storage.put('bkp.json', small, { ifAbsent: true })
        expect((await failureOf(() => storage.put('bkp.json', large, { ifAbsent: true }))).code).toBe('already-exists')
        expect((await failureOf(() => storage.put('packs/aa/one', large))).code).toBe('forbidden')
        expect((await failureOf(() => storage.remove('packs/aa/one'))).code).toBe('forbidden')
        await storage.remove('packs/aa/never-there')
        expect(Buffer.from(await storage.get('packs/aa/one'))).toEqual(small)
        expect(await listed(storage)).toEqual(['bkp.json', 'packs/aa/one'])
        expect(filesOf(server)).toEqual(['bkp.json', 'one'])
        await storage.close()
        const later = await openWebdav(urlOf(server), login)
        expect((await failureOf(() => later.put('bkp.json', large, { ifAbsent: true }))).code).toBe('already-exists')
        await later.close()
      },
    ))

  it('is told so where the option wants renaming', () =>
    withServer(
      () => startApache(withoutDelete),
      async (server) => {
        const storage = await openWebdav(urlOf(server), { ...login, publication: 'move' }, 'create')
        await expectPortRejection('forbidden', () => storage.put('bkp.json', small))
        expect(filesOf(server)).toEqual([])
        await storage.close()
      },
    ))
})

describe.runIf(hasServer('apache') && process.getuid?.() === 0)('a full disk of Apache', () => {
  it.each(['auto', 'put'])(
    'is quota with publication %s, leaves nothing behind, and takes what fits',
    async (publication) => {
      const documents = mkdtempSync(join(tmpdir(), 'bkp-full-'))
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m,mode=777', 'bkp-test', documents])
      try {
        await withServer(
          () => startApache({ documents }),
          async (server) => {
            const storage = await openWebdav(urlOf(server), { publication }, 'create')
            await storage.put('packs/aa/one', randomLikeBytes(1_000_000))
            for (const options of [{}, { ifAbsent: true }]) {
              const { code, hint } = await failureOf(() =>
                storage.put('packs/aa/two', randomLikeBytes(6_000_000), options),
              )
              expect(code).toBe('quota')
              expect(hint).toMatch(/free space/i)
            }
            expect(await listed(storage)).toEqual(['packs/aa/one'])
            expect(filesOf(server)).toEqual(['one'])
            await storage.put('packs/aa/three', randomLikeBytes(1_500_000))
            await storage.close()
          },
        )
      } finally {
        execFileSync('umount', [documents])
        rmSync(documents, { recursive: true })
      }
    },
  )
})

describe.runIf(hasServer('nginx'))('a limit of nginx for uploads', () => {
  it('is quota, with what to raise on the server, before anything is uploaded', () =>
    withServer(
      () => startNginx({ directives: 'client_max_body_size 8m;' }),
      async (server) => {
        const storage = await openWebdav(urlOf(server), {}, 'create')
        const { code, hint } = await failureOf(() => storage.put('packs/aa/large', large))
        expect([code, hint.includes('client_max_body_size')]).toEqual(['quota', true])
        await storage.put('packs/aa/small', small)
        expect(await listed(storage)).toEqual(['packs/aa/small'])
        await storage.close()
      },
    ))
})

const programs = [
  ['apache', () => startApache()],
  ['nginx', () => startNginx()],
] as const

describe.each(programs.filter(([name]) => hasServer(name)))('%s', (_name, start) => {
  it('that dies in the middle of puts and gets is transient or offline, then everything works', () =>
    withServer(start, async (server) => {
      const storage = await openWebdav(urlOf(server), {}, 'create')
      await storage.put('packs/aa/old', large)
      const calls = [
        ...[0, 1, 2, 3].map((n) => storage.put(`packs/ab/${n}`, large)),
        ...[0, 1, 2, 3].map(() => storage.get('packs/aa/old')),
      ]
      const outcomes = Promise.all(calls.map((call) => failureOf(() => call)))
      await server.kill()
      const codes = (await outcomes).map(({ code }) => code)
      expect(codes.filter((code) => code === 'transient' || code === 'offline').length).toBeGreaterThan(0)
      expect(codes.filter((code) => !['transient', 'offline', 'nothing was thrown'].includes(code))).toEqual([])
      for (const call of [() => storage.put('index/a', small), () => storage.get('index/a'), () => listed(storage)]) {
        expect(['offline', 'transient']).toContain((await failureOf(call)).code)
      }
      await server.restart()
      const stored = [
        'packs/aa/old',
        ...[0, 1, 2, 3].filter((n) => codes[n] === 'nothing was thrown').map((n) => `packs/ab/${n}`),
      ]
      expect(await listed(storage)).toEqual(expect.arrayContaining(stored))
      for (const key of await listed(storage)) expect(Buffer.compare(await storage.get(key), large)).toBe(0)
      for (const n of [0, 1, 2, 3]) await storage.put(`packs/ab/${n}`, large)
      expect(await listed(storage)).toEqual(['packs/aa/old', ...[0, 1, 2, 3].map((n) => `packs/ab/${n}`)])
      await storage.close()
    }))

  it('whose folders were removed by others gets them again, but never a root that is gone', () =>
    withServer(start, async (server) => {
      const storage = await openWebdav(urlOf(server), {}, 'create')
      await storage.put('packs/aa/one', small)
      for (const name of ['packs', '@tmp']) rmSync(join(server.documents, 'r', name), { recursive: true })
      await storage.put('packs/aa/two', small)
      expect(await listed(storage)).toEqual(['packs/aa/two'])
      rmSync(join(server.documents, 'r'), { recursive: true })
      await expectPortRejection('not-found', () => storage.put('packs/aa/three', small))
      await expectPortRejection('not-found', () => listed(storage))
      await expectPortRejection('not-found', () => openWebdav(urlOf(server)))
      await storage.close()
    }))

  it('removes temporary files that are older than a day, and no others', () =>
    withServer(start, async (server) => {
      await (await openWebdav(urlOf(server), {}, 'create')).close()
      const folder = join(server.documents, 'r', '@tmp')
      execFileSync('mkdir', ['-m', '777', folder])
      execFileSync('touch', ['-d', '3 days ago', join(folder, 'old')])
      execFileSync('touch', [join(folder, 'young')])
      chmodSync(folder, 0o777)
      const storage = await openWebdav(urlOf(server))
      await storage.put('bkp.json', small)
      expect(readdirSync(folder).filter((name) => name !== '.DAV')).toEqual(['young'])
      expect(await listed(storage)).toEqual(['bkp.json'])
      await storage.close()
    }))
})
