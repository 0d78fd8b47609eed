import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runCommand } from '../testing/run-command.js'
import { violations } from '../testing/schemas.js'
import { idFault, packageNameFault, pluginKinds } from './plugin-kind.js'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bkp-create-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const at = (name: string) => join(folder, name)
const create = (...argv: string[]) => runCommand(['plugins:create', ...argv])

/** What `npm pack` would have made; create only copies it. */
function tarballs(...names: string[]): string {
  for (const name of names) writeFileSync(at(name), 'packed')
  return folder
}

describe('plugins create', () => {
  it.each(pluginKinds)('writes a package for the port %s, with nothing left to fill in', async (kind) => {
    const vendor = tarballs('bkp-plugin-api-1.1.0.tgz', 'bkp-testkit-0.1.0.tgz')
    const argv = [kind, '--id', 'mine', '--directory', at('new'), '--local-packages', vendor, '--yes', '--json']
    const { json, exitCode, stderr } = await create(...argv)
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    const [document] = json()
    expect(violations('plugins-create.json', document)).toEqual([])
    const files = document?.files as string[]
    for (const file of files) expect(readFileSync(join(at('new'), file), 'utf8')).not.toMatch(/\{\{(?!\s*matrix)/)
    expect(files).toContain('.github/workflows/publish.yml')
    expect(files).toContain('.gitignore')
    // The suite of testkit that every plugin of the port passes.
    const suite = `describe${kind.charAt(0).toUpperCase()}${kind.slice(1)}(`
    expect(readFileSync(join(at('new'), `test/${kind}.test.ts`), 'utf8')).toContain(suite)
    const manifest = JSON.parse(readFileSync(join(at('new'), 'package.json'), 'utf8'))
    expect(manifest).toMatchObject({
      name: `bkp-${kind}-mine`,
      dependencies: { '@bkp/plugin-api': 'file:vendor/bkp-plugin-api-1.1.0.tgz' },
      bundleDependencies: ['@bkp/plugin-api'],
      bkp: { displayName: 'Mine', contributes: { [kind]: [{ id: 'mine' }] } },
    })
  })

  it('asks for what is not given; an empty answer takes the default', async () => {
    const vendor = tarballs('bkp-plugin-api-1.1.0.tgz', 'bkp-testkit-0.1.0.tgz')
    const { questions, stdout } = await runCommand(['plugins:create', '--local-packages', vendor], {
      answers: ['storage', 'mine', '@ann/mine', at('asked')],
    })
    expect(questions).toEqual([
      'Kind (storage, compression, encryption, source, notifier):',
      'Id, on disk for ever:',
      'Name of the package (bkp-storage-mine):',
      'Folder (mine):',
    ])
    expect(stdout).toContain('Wrote @ann/mine')
    expect(stdout).toContain(`  cd ${at('asked')} && npm install && npm test\n  bkp plugins:link .\n`)
    expect(readdirSync(at('asked'))).toContain('src')
  })

  it.each([
    [['storage', '--yes'], 'The id of the plugin is missing'],
    [['--id', 'mine', '--yes'], 'The kind of the plugin is missing'],
    [['disk', '--id', 'mine'], '"disk" is no kind of plugin'],
    [['storage', '--id', 'S3'], 'has to be lower-case letters'],
    [['storage', '--id', 's3'], '"s3" is taken by @bkp/storage-s3'],
    [['storage', '--id', 'webdavs'], '"webdavs" is taken by @bkp/storage-webdav'],
    [['compression', '--id', 'zstd'], '"zstd" is taken by @bkp/codec-zstd'],
    [['storage', '--id', 'mine', '--name', '@bkp/storage-mine'], 'belongs to bkp itself'],
    [['storage', '--id', 'mine', '--name', 'Mine!'], 'is no name of an npm package'],
  ])('refuses %j', async (argv, reason) => {
    const { exitCode, stderr } = await create(...argv, '--directory', at('refused'))
    expect(exitCode).toBe(2)
    expect(stderr).toContain(reason)
    expect(existsSync(at('refused'))).toBe(false)
  })

  it('touches no folder in which there is something', async () => {
    tarballs('mine')
    const { exitCode, stderr } = await create('storage', '--id', 'mine', '--directory', folder, '--yes')
    expect(exitCode).toBe(2)
    expect(stderr).toContain('There is something in')
    expect(readdirSync(folder)).toEqual(['mine'])
  })

  it('says which tarball is missing, or there more than once', async () => {
    const vendor = tarballs('bkp-plugin-api-1.1.0.tgz')
    const argv = (directory: string) => [
      'storage',
      '--id',
      'mine',
      '--directory',
      at(directory),
      '--local-packages',
      vendor,
    ]
    expect((await create(...argv('one'))).stderr).toContain('no tarball of @bkp/testkit')
    tarballs('bkp-testkit-0.1.0.tgz', 'bkp-plugin-api-1.0.0.tgz')
    expect((await create(...argv('two'))).stderr).toContain('several tarballs of @bkp/plugin-api')
    for (const name of ['one', 'two']) expect(existsSync(at(name))).toBe(false)
  })
})

describe('ids and names', () => {
  it('of storages are schemes as well', () => {
    expect(idFault('storage', '7zip')).toContain('begins with a letter')
    expect(idFault('storage', 'c')).toContain('at least two')
    expect(idFault('compression', '7zip')).toBeUndefined()
    expect(idFault('compression', 'none')).toBeDefined()
  })

  it('of packages may have a scope', () => {
    for (const name of ['mine', '@ann/mine', 'bkp-storage-x']) expect(packageNameFault(name)).toBeUndefined()
    for (const name of ['', 'bkp', '@bkp/x', 'a b', '@ann/', 'Mine']) expect(packageNameFault(name)).toBeDefined()
  })
})
