import { createHash } from 'node:crypto'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { apiVersion } from '@bkp/plugin-api'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { destinationOf } from '../../config/destination.js'
import { PluginHost } from '../plugin-host.js'
import {
  type Approval,
  homeOf,
  packageFolderOf,
  placesIn,
  putApproval,
  readApprovals,
  removeApproval,
} from './approvals.js'
import { loadApprovedPlugins } from './approved-plugins.js'
import { changesBetween, integrityOf, listFiles } from './file-list.js'
import { foreignHand } from './own-files.js'

let data: string
const log = { debug: () => undefined, info: () => undefined, warn: () => undefined }

beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'bkp-trust-'))
})
afterEach(() => rmSync(data, { recursive: true, force: true }))

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}

/** A plugin in place, as an installation leaves it. */
async function put(name: string, id = 'x'): Promise<Approval> {
  const folder = packageFolderOf(data, name)
  const contributes = {
    storage: [{ id, schemes: [id] }],
    compression: [{ id: `${id}-codec`, module: './codec.js' }],
  }
  const text = JSON.stringify({
    name,
    version: '1.0.0',
    main: 'index.js',
    bkp: { api: '^1.0.0', displayName: name, contributes },
  })
  write(join(folder, 'package.json'), text)
  write(join(folder, 'index.js'), 'export default {}')
  write(join(folder, 'codec.js'), 'export default {}')
  const list = listFiles(homeOf(data, name))
  const approval: Approval = {
    name,
    version: '1.0.0',
    kind: 'installed',
    source: { kind: 'registry', spec: `${name}@latest` },
    integrity: integrityOf(list),
    manifest: createHash('sha256').update(text).digest('hex'),
    api: apiVersion,
    approved: '2026-11-24T00:00:00.000Z',
    shown: {},
  }
  await putApproval(data, approval, list.text)
  return approval
}

const load = () => loadApprovedPlugins(data, () => undefined)
const reasons = async () => (await load()).faulty.map(({ error }) => error.message).join('\n')
const hostOf = async () => PluginHost.fromDirectories({ bundled: [], installed: [], approved: await load() }, log)

describe('a list of files', () => {
  it('is what sha256sum prints, sorted, of everything there is', () => {
    for (const path of ['b/two', 'a', 'b/.hidden', 'b.x']) write(join(data, path), path)
    const hash = (text: string) => createHash('sha256').update(text).digest('hex')
    const expected = ['a', 'b.x', 'b/.hidden', 'b/two'].map((path) => `${hash(path)}  ${path}\n`).join('')
    expect(listFiles(data)).toEqual({ text: expected, count: 4, bytes: 18 })
  })

  it('differs whenever a file is added, removed, renamed or changed, and tells which', () => {
    const files = fc.dictionary(fc.stringMatching(/^[a-z]{1,3}$/), fc.string(), { maxKeys: 5 })
    const textOf = (all: Record<string, string>) =>
      Object.keys(all)
        .sort()
        .map(
          (name) =>
            `${createHash('sha256')
              .update(all[name] as string)
              .digest('hex')}  ${name}\n`,
        )
        .join('')
    fc.assert(
      fc.property(files, files, (one, other) => {
        const { added, removed, changed } = changesBetween(textOf(one), textOf(other))
        const isSame = added.length + removed.length + changed.length === 0
        expect(integrityOf(textOf(one)) === integrityOf(textOf(other))).toBe(isSame)
      }),
    )
  })

  it('refuses symbolic links, and names that would make two lines', () => {
    symlinkSync('/etc/passwd', join(data, 'link'))
    expect(() => listFiles(data)).toThrow('is a symbolic link')
    expect(() => listFiles(join(data, 'link'))).toThrow('is not a folder')
    rmSync(join(data, 'link'))
    writeFileSync(join(data, 'a\nb'), '')
    expect(() => listFiles(data)).toThrow('control characters')
  })
})

describe('the lock file', () => {
  it('keeps what was approved, for its owner alone, and leaves nothing else', async () => {
    const one = await put('@scope/one', 'one')
    const two = await put('two', 'two')
    expect(await readApprovals(data)).toEqual([one, two])
    expect(statSync(placesIn(data).lock).mode & 0o777).toBe(0o600)
    await removeApproval(data, '@scope/one')
    expect(await readApprovals(data)).toEqual([two])
    expect(readdirSync(data).sort()).toEqual(['approved', 'plugins', 'plugins.lock.json'])
    expect(readdirSync(placesIn(data).lists)).toEqual(['two.sha256'])
  })

  it.each([
    ['no JSON', '{'],
    ['another version', '{"version":2,"plugins":[]}'],
    ['no list', '{"version":1}'],
    ['null', 'null'],
    ['an incomplete entry', '{"version":1,"plugins":[{"name":"x"}]}'],
    ['a name that leads elsewhere', '{"version":1,"plugins":[{"name":"../x"}]}'],
  ])('with %s approves nothing', async (_, text) => {
    const { plugins } = placesIn(data)
    await put('good')
    writeFileSync(placesIn(data).lock, text, { mode: 0o600 })
    await expect(readApprovals(data)).rejects.toMatchObject({ code: 'plugin-refused', hint: expect.any(String) })
    const all = await load()
    expect(all.plugins).toEqual([])
    expect(all.faulty.map(({ packageName }) => packageName)).toEqual(['good'])
    expect(plugins).toContain(data)
  })

  it('is no authority when others may write it', () => {
    const self = process.getuid?.() ?? 0
    expect(foreignHand({ uid: self, mode: 0o100600 })).toBeUndefined()
    expect(foreignHand({ uid: 0, mode: 0o100644 })).toBeUndefined()
    expect(foreignHand({ uid: self, mode: 0o100620 })).toContain('other users')
    expect(foreignHand({ uid: self, mode: 0o100602 })).toContain('other users')
    expect(foreignHand({ uid: self + 4711, mode: 0o100600 })).toContain('belongs to')
  })
})

describe('an approved plugin', () => {
  it('gives no module to threads, and opens no storage, once a file is not the approved one', async () => {
    await put('one', 'one')
    expect((await hostOf()).workerModule('compression', 'one-codec')?.url).toMatch(/codec\.js$/)
    writeFileSync(join(packageFolderOf(data, 'one'), 'index.js'), 'export default 1')
    const later = await hostOf()
    const refusal = {
      code: 'plugin-refused',
      message: 'The plugin one is not what you approved: node_modules/one/index.js was changed',
      hint: expect.stringContaining('bkp plugins:approve one'),
    }
    const module = later.workerModule('compression', 'one-codec')
    expect(() => module?.url).toThrow(expect.objectContaining(refusal))
    await expect(later.openStorage(destinationOf('one://x'), 'open')).rejects.toMatchObject(refusal)
  })

  it.each([
    ['registry', 'one@^1.0.0', "; or install it again: bkp plugins:install 'one@^1.0.0'"],
    ['tarball', '/my files/one.tgz', "; or install it again: bkp plugins:install '/my files/one.tgz'"],
    ['git', 'https://git.test/one#v1', '; or install it again: bkp plugins:install git+https://git.test/one#v1'],
    ['url', 'https://git.test/one.tgz', '; or install it again: bkp plugins:install https://git.test/one.tgz'],
    // As an approval that was lost leaves it.
    ['folder', '', ''],
  ])('that is refused is installed again from where it came: %s', async (kind, spec, told) => {
    const approval = await put('one')
    await putApproval(data, { ...approval, source: { kind, spec: spec === '' ? packageFolderOf(data, 'one') : spec } })
    const path = join(packageFolderOf(data, 'one'), 'package.json')
    writeFileSync(path, `${readFileSync(path, 'utf8')} `)
    const hint = `See what changed and approve it: bkp plugins:approve one${told}`
    expect((await load()).faulty[0]?.error).toMatchObject({ hint })
    rmSync(homeOf(data, 'one'), { recursive: true })
    expect((await load()).faulty[0]?.error).toMatchObject({ hint: `Forget it: bkp plugins:uninstall one${told}` })
  })

  it('counts as not there when its manifest was changed, and is named where it is missed', async () => {
    await put('one', 'one')
    await put('two', 'two')
    const path = join(packageFolderOf(data, 'one'), 'package.json')
    writeFileSync(path, readFileSync(path, 'utf8').replace('1.0.0', '1.0.1'))
    const all = await load()
    expect(all.plugins.map(({ packageName }) => packageName)).toEqual(['two'])
    expect(await reasons()).toContain('The plugin one is not what you approved')
    const host = await hostOf()
    await expect(host.openStorage(destinationOf('one://x'), 'open')).rejects.toMatchObject({ code: 'plugin-refused' })
    await expect(host.openStorage(destinationOf('none://x'), 'open')).rejects.toMatchObject({ code: 'missing-plugin' })
  })

  it('cannot lead out of its package, by a link or by its entry', async () => {
    const { name } = await put('one')
    rmSync(homeOf(data, name), { recursive: true })
    mkdirSync(join(data, 'elsewhere'))
    symlinkSync(join(data, 'elsewhere'), homeOf(data, name))
    expect((await load()).plugins).toEqual([])
    rmSync(homeOf(data, name))
    await put('two', 'two')
    const path = join(packageFolderOf(data, 'two'), 'package.json')
    const text = readFileSync(path, 'utf8').replace('"index.js"', '"../../../elsewhere/index.js"')
    writeFileSync(path, text)
    const [approval] = ((await readApprovals(data)) ?? []).filter((one) => one.name === 'two') as [Approval]
    await putApproval(data, { ...approval, manifest: createHash('sha256').update(text).digest('hex') })
    expect(await reasons()).toContain('lies outside of the package')
  })

  it('is refused while a node_modules folder lies above it', async () => {
    await put('one')
    mkdirSync(join(data, 'node_modules'))
    expect((await load()).faulty[0]?.error.message).toContain('which bkp did not make')
  })
})
