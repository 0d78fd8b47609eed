import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expectNoBreakdown, type RestoreReport, reportOf } from '../../support/outcomes.js'
import { bkp, bkpJson } from '../../support/run-bkp.js'
import { packUrlSource } from './support/url-source.js'

const work = mkdtempSync(join(tmpdir(), 'bkp-source-'))
const at = (...names: string[]) => join(work, ...names)
const place = at('repository')
const docs = 'web://host.example/docs'
const single = 'web://other.example/c.txt'
const password = 'open sesame'
const env = { BKP_DATA_DIR: at('data'), SOURCE_RAN: at('ran'), WEB_PASSWORD: password }
const source = ['--source', 'web', '--source-option', `file=${at('pages.json')}`]

interface BackupReport {
  readonly snapshot: string
  readonly stats: { readonly filesNew: number; readonly filesUnchanged: number; readonly filesChanged: number }
  readonly issues: readonly { readonly kind: string; readonly path: string }[]
}

const run = (...args: string[]) => bkp(args, { env })
const json = (...args: string[]) => bkpJson(args, { env })
const backup = (...paths: string[]) => run('backup', ...paths, ...source, '--to', place, '--json')
const made = async (code: number, ...paths: string[]) => reportOf<BackupReport>(await backup(...paths), code)
const whatRan = () => (existsSync(env.SOURCE_RAN) ? readFileSync(env.SOURCE_RAN, 'utf8') : '')
const pages = (more: Readonly<Record<string, string>> = {}) =>
  writeFileSync(
    at('pages.json'),
    JSON.stringify({ [`${docs}/a.txt`]: 'page a', [`${docs}/deep/b.txt`]: 'page b', [single]: 'page c', ...more }),
  )

beforeAll(async () => {
  pages()
  const { path, integrity } = packUrlSource(at('package'))
  await json('plugins:install', path, '--yes', '--integrity', integrity)
  await json('init', '--to', place)
})
afterAll(() => rmSync(work, { recursive: true, force: true }))

describe('a source whose paths are URLs', () => {
  it('is backed up by them; what is unchanged is not read again', async () => {
    expect((await made(0, docs, single)).stats).toMatchObject({ filesNew: 3 })
    rmSync(env.SOURCE_RAN)
    expect((await made(0, docs, single)).stats).toMatchObject({ filesNew: 0, filesUnchanged: 3 })
    expect(whatRan()).toBe('')
  })

  it('is found again by the URLs that were given', async () => {
    const { snapshots } = await json('snapshots', '--from', place, '--path', docs)
    const plugins = [{ port: 'source', id: 'web', package: 'bkp-source-web', version: '0.2.0' }]
    expect(snapshots).toMatchObject([{ paths: [{ path: docs }, { path: single }] }, { plugins }])
    expect((await json('snapshots', '--from', place, '--path', 'web://none.example')).snapshots).toEqual([])
    const listed = await run('ls', 'latest', docs, '--from', place)
    expect(listed.stdout).toContain(' /web:/host.example/docs/a.txt')
    expect(listed.stdout).not.toContain('c.txt')
    expect((await run('ls', `latest:${docs}`, '--from', place)).stdout).toBe(listed.stdout)
    expect((await run('dump', `latest:${single}`, '--from', place)).stdout).toBe('page c')
  })

  it('says what is not there, and makes no snapshot of nothing', async () => {
    const { issues } = await made(3, 'web://none.example/x', single)
    expect(issues).toMatchObject([{ kind: 'vanished', path: '/web:/none.example' }])
    const before = (await json('snapshots', '--from', place)).snapshots
    const nothing = await backup('web://none.example/x', 'web://host.example/none')
    expect(nothing.code).toBe(1)
    expect(nothing.stdout).toContain('Nothing of what was named is there')
    expect((await json('snapshots', '--from', place)).snapshots).toEqual(before)
  })

  it.each([`${docs}/../x`, `${docs}/.`, ''])('refuses the path "%s" before anything is read', async (path) => {
    rmSync(env.SOURCE_RAN, { force: true })
    expect((await backup(single, path)).code).toBe(2)
    expect(whatRan()).toBe('')
  })

  it('is backed up by a job, whose paths stay what they are', async () => {
    const config = at('config.yaml')
    const job = `repository: there\n    paths: [${docs}]\n    source: {use: web, options: {file: ${at('pages.json')}}}`
    writeFileSync(
      config,
      `version: 1\nrepositories:\n  there:\n    destinations:\n      here: ${place}\njobs:\n  web:\n    ${job}\n`,
    )
    await json('backup', '--job', 'web', '--config', config)
    const { snapshots } = await json('snapshots', '--from', place)
    expect((snapshots as unknown as { paths: unknown }[]).at(-1)?.paths).toEqual([{ path: docs }])
  })
})

describe('secrets of a source', () => {
  it('come from where an option says, also in threads', async () => {
    const moved = { ...env, WEB_PASSWORD: undefined, OTHER: password }
    const args = ['backup', single, ...source, '--source-option', 'passwordVariable=OTHER', '--to', place]
    expect(await bkp(args, { env: moved })).toMatchObject({ code: 0 })
    const wrong = await bkp(['backup', single, ...source, '--to', place], { env: { ...env, WEB_PASSWORD: 'guessed' } })
    expectNoBreakdown(wrong)
    expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining('The password in WEB_PASSWORD is wrong') })
    expect(wrong.stderr).not.toContain('guessed')
  })

  it('are refused as options, and told to nobody', async () => {
    const config = at('secret.yaml')
    const options = `{file: ${at('pages.json')}, token: hush-hush}`
    writeFileSync(
      config,
      `version: 1\nrepositories:\n  there:\n    destinations:\n      here: ${place}\njobs:\n  web:\n    repository: there\n    source: {use: web, options: ${options}}\n`,
    )
    for (const args of [
      ['backup', single, ...source, '--source-option', 'token=hush-hush', '--to', place],
      ['backup', '--job', 'web', '--config', config],
    ]) {
      const refused = await bkp([...args, '--json'], { env: { ...env, DEBUG: 'bkp:*' } })
      expect(refused.code).toBe(2)
      expect(refused.stdout).toContain('The option token of the source \\"web\\" is a secret')
      expect(refused.stdout + refused.stderr).not.toContain('hush')
    }
  })
})

describe('a snapshot of a source that could restore by itself', () => {
  const restore = (target: string, ...more: string[]) =>
    run('restore', 'latest', '--from', place, '--target', at(target), '--json', ...more)
  const read = (...names: string[]) => readFileSync(at(...names), 'utf8')

  beforeAll(async () => {
    pages({ [`${docs}/new.txt`]: 'page new' })
    await made(0, docs, single)
    rmSync(env.SOURCE_RAN)
  })

  it('is restored into a folder all the same, verified, and nothing of the plugin runs', async () => {
    expect(reportOf<RestoreReport>(await restore('whole', '--verify'), 0)).toMatchObject({ files: 4, issues: [] })
    expect(read('whole/web:/host.example/docs/deep/b.txt')).toBe('page b')
    expect(read('whole/web:/other.example/c.txt')).toBe('page c')
    expect(whatRan()).toBe('')
  })

  it('is restored in part by the URL that was backed up', async () => {
    const ran = await run('restore', `latest:${docs}`, '--from', place, '--target', at('part'), '--json')
    expect(reportOf<RestoreReport>(ran, 0).files).toBe(3)
    expect([read('part/a.txt'), read('part/new.txt')]).toEqual(['page a', 'page new'])
  })

  it('is checked and restored where the plugin is not, and only a backup misses it, by name', async () => {
    await json('plugins:uninstall', 'bkp-source-web')
    expect(reportOf<RestoreReport>(await restore('without'), 0)).toMatchObject({ files: 4, issues: [] })
    expect(read('without/web:/host.example/docs/new.txt')).toBe('page new')
    expect((await run('check', '--read-data', '--from', place)).code).toBe(0)
    const missing = await backup(single)
    expect(missing.code).toBe(1)
    expect(missing.stdout).toContain('No installed plugin has the source \\"web\\"')
    expect(missing.stdout).toContain('bkp plugins:install bkp-source-web@0.2.0')
  })
})
