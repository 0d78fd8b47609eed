import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type CheckReport, expectNoBreakdown, reportOf } from '../../support/outcomes.js'
import { bkp, bkpJson, passphrase } from '../../support/run-bkp.js'
import type { Packed } from './support/demo-plugin.js'
import { packCipher } from './support/worker-plugin.js'

const work = mkdtempSync(join(tmpdir(), 'bkp-cipher-'))
const at = (...names: string[]) => join(work, ...names)
const env = { BKP_DATA_DIR: at('data'), BKP_TO_PASSWORD: passphrase }
const files = at('files')
const place = at('repository')
const plugin = { name: '@ann/bkp-cipher-chacha', id: 'ann-chacha20' }
let packed: Packed

const run = (...args: string[]) => bkp(args, { env })
const json = (...args: string[]) => bkpJson(args, { env })
const install = () => json('plugins:install', packed.path, '--yes', '--integrity', packed.integrity)
const uninstall = () => json('plugins:uninstall', plugin.name)
const backup = (...more: string[]) => json('backup', files, '--to', place, ...more)
const restored = async (target: string, ...more: string[]) => {
  await json('restore', 'latest', '--from', place, '--target', at(target), ...more)
  return readFileSync(join(at(target), files, 'letter.txt'), 'utf8')
}

/** Cipher ids in the clear, by folder of the repository. */
function ciphersIn(repository: string): Record<string, string[]> {
  const found: Record<string, Set<string>> = {}
  for (const name of readdirSync(repository, { recursive: true, encoding: 'utf8' })) {
    const kind = name.split('/')[0] ?? ''
    if (!/^(packs|index|snapshots)\/.*[0-9a-f]{64}$/.test(name)) continue
    const header = readFileSync(join(repository, name)).subarray(24, 56)
    found[kind] ??= new Set()
    found[kind].add(header.toString('latin1').replace(/\0+$/, ''))
  }
  return Object.fromEntries(Object.entries(found).map(([kind, ids]) => [kind, [...ids].sort()]))
}

beforeAll(async () => {
  packed = packCipher(at('package'), { ...plugin, version: '1.2.3' })
  mkdirSync(files)
  writeFileSync(join(files, 'letter.txt'), 'Dear Ann, '.repeat(30_000))
  await json('init', '--to', place)
})
afterAll(() => rmSync(work, { recursive: true, force: true }))

describe('a cipher of a plugin, installed through the trust gate', () => {
  it('seals all of a backup, which is checked, listed, compared and restored', async () => {
    const before = await run('backup', files, '--to', place, '--cipher', plugin.id)
    expect(before).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`No installed plugin has the encryption "${plugin.id}"`),
    })
    await install()
    await backup('--cipher', plugin.id)
    expect(ciphersIn(place)).toEqual({ packs: [plugin.id], index: [plugin.id], snapshots: [plugin.id] })
    const { snapshots } = await json('snapshots', '--from', place)
    const record = { port: 'encryption', id: plugin.id, package: plugin.name, version: '1.2.3' }
    expect(snapshots).toMatchObject([{ plugins: [record] }])
    writeFileSync(join(files, 'second.txt'), 'Another one. '.repeat(1000))
    const config = at('config.yaml')
    const here = `cipher: ${plugin.id}\n    destinations:\n      here: ${place}`
    writeFileSync(config, `version: 1\nrepositories:\n  mine:\n    ${here}\n`)
    await json('backup', files, '--to', 'mine', '--config', config)
    expect(ciphersIn(place)).toEqual({ packs: [plugin.id], index: [plugin.id], snapshots: [plugin.id] })
    expect(reportOf<CheckReport>(await run('check', '--read-data', '--from', place, '--json'), 0).damages).toEqual([])
    expect((await run('ls', 'latest', '-R', '--from', place)).stdout).toContain('second.txt')
    const [first, second] = (await json('snapshots', '--from', place)).snapshots as unknown as { id: string }[]
    expect((await run('diff', first?.id ?? '', second?.id ?? '', '--from', place)).stdout).toContain('second.txt')
    expect((await run('dump', `latest:${join(files, 'second.txt')}`, '--from', place)).stdout).toBe(
      'Another one. '.repeat(1000),
    )
    expect(await restored('restored')).toBe('Dear Ann, '.repeat(30_000))
  })

  it('finds what was changed on the disk', async () => {
    const name = readdirSync(join(place, 'packs'), { recursive: true, encoding: 'utf8' }).find(
      (path) => path.length > 60,
    )
    const path = join(place, 'packs', name ?? '')
    const sound = readFileSync(path)
    const bytes = Buffer.from(sound)
    // Within the first blob.
    bytes[140] = (bytes[140] ?? 0) ^ 1
    writeFileSync(path, bytes)
    const { damages } = reportOf<CheckReport>(await run('check', '--read-data', '--from', place, '--json'), 13)
    expect(damages.map(({ key }) => key)).toContain(`packs/${name}`)
    writeFileSync(path, sound)
  })

  it('goes with copies to another repository, and out of them by another cipher', async () => {
    for (const [target, ...cipher] of [['same', '--cipher', plugin.id], ['plain']]) {
      await json('init', '--to', at(target ?? ''))
      await json('copy', '--from', place, '--to', at(target ?? ''), ...cipher)
      const { snapshots } = await json('snapshots', '--from', at(target ?? ''))
      const named = (snapshots as unknown as { plugins: unknown[] }[]).map(({ plugins }) => plugins.length)
      expect(named).toEqual(cipher.length > 0 ? [1, 1] : [0, 0])
    }
    expect(ciphersIn(at('same')).snapshots).toEqual([plugin.id])
    expect(ciphersIn(at('plain')).snapshots).toEqual(['aes-256-gcm'])
  })

  it('is not run when its files are not what was approved', async () => {
    const module = at('data/plugins/@ann+bkp-cipher-chacha/node_modules/@ann/bkp-cipher-chacha/module.js')
    const sound = readFileSync(module)
    appendFileSync(module, '\n// more\n')
    for (const command of [
      ['snapshots', '--from', place],
      ['backup', files, '--to', place, '--cipher', plugin.id],
    ]) {
      const refused = await run(...command)
      expectNoBreakdown(refused)
      expect(refused).toMatchObject({
        code: 1,
        stderr: expect.stringContaining(`${plugin.name} is not what you approved`),
      })
    }
    writeFileSync(module, sound)
    expect((await run('snapshots', '--from', place)).code).toBe(0)
  })
})

describe('without the plugin', () => {
  const needing = [
    ['snapshots', '--from', place],
    ['restore', 'latest', '--from', place, '--target', at('nowhere')],
    ['check', '--from', place],
    ['backup', files, '--to', place],
  ]

  it('the error has the id of the cipher and the ways to find its package', async () => {
    await uninstall()
    for (const command of needing) {
      const { code, stderr } = await run(...command)
      expect(code).toBe(1)
      expect(stderr).toContain(`This repository needs the encryption "${plugin.id}"`)
      expect(stderr).toContain(`npm search bkp-plugin ${plugin.id}`)
    }
  })

  it('what needs no content is done: the objects are brought to another destination', async () => {
    await json('sync', '--from', place, '--to', at('second'))
    await install()
    await json('check', '--read-data', '--from', at('second'))
  })

  it('it is named by a snapshot that another cipher sealed, which stands on its packs', async () => {
    await backup()
    expect(ciphersIn(place).snapshots).toEqual(['aes-256-gcm', plugin.id])
    await uninstall()
    for (const command of needing) {
      const { code, stderr } = await run(...command)
      expect(code).toBe(1)
      expect(stderr).toContain(`This repository needs the encryption "${plugin.id}"`)
      expect(stderr).toContain(`bkp plugins:install ${plugin.name}@1.2.3`)
    }
    await install()
    expect(await restored('restored-mixed')).toBe('Dear Ann, '.repeat(30_000))
  })
})
