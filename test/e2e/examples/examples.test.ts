import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  backUpAndRestore,
  engineWith,
  examples,
  installExamples,
  installPacked,
  pack,
  packInterfaces,
  run,
} from '../../support/examples.js'
import { makeGitProject } from '../../support/git-project.js'
import { reportOf } from '../../support/outcomes.js'
import { bkp } from '../../support/run-bkp.js'

const work = mkdtempSync(join(tmpdir(), 'bkp-examples-'))
const inWork = (name: string) => join(work, name)
const tarballs: Record<string, string> = {}
let installed: readonly string[]

beforeAll(async () => {
  for (const name of ['interfaces', 'tarballs', 'installed', 'git']) mkdirSync(inWork(name))
  const interfaces = await packInterfaces(inWork('interfaces'))
  await installExamples(work, interfaces)
  for (const name of examples) {
    await run('npm', ['run', '--silent', 'build'], inWork(name))
    tarballs[`bkp-${name}`] = await pack(inWork(name), inWork('tarballs'))
  }
  installed = await installPacked(inWork('installed'), tarballs, interfaces['@bkp/plugin-api'] ?? '')
  // The registry may be slow.
}, 300_000)
afterAll(() => rmSync(work, { recursive: true, force: true }))

describe('the examples, built from the packed plugin-api and testkit alone', () => {
  // What needs rclone itself is tested beside the servers.
  it.each([
    ['codec-brotli', []],
    ['source-git', []],
    ['storage-rclone', ['src/failures.test.ts']],
  ])('%s passes its own tests', async (name, files) => {
    expect(await run('npm', ['test', '--silent', '--', ...files], inWork(name))).toMatch(/Tests .*passed/)
  })

  it('pack what they need and nothing else', async () => {
    for (const folder of installed)
      expect(readdirSync(folder).sort()).toEqual(['LICENSE', 'README.md', 'dist', 'package.json'])
    for (const folder of installed) expect(readdirSync(join(folder, 'dist')).join()).not.toContain('test')
  })

  it.each(examples)('%s has nothing that lint would find, as a folder and as a tarball', async (name) => {
    for (const what of [inWork(name), tarballs[`bkp-${name}`] ?? '']) {
      const linted = await bkp(['plugins:lint', what, '--json'])
      expect(reportOf<{ findings: unknown[] }>(linted, 0).findings).toEqual([])
    }
  })

  it('work in the engine: a git repository goes through the codec into a storage, and comes back as a bundle', async () => {
    const project = makeGitProject(inWork('git'))
    const target = inWork('restored')
    const { first, second } = await backUpAndRestore({
      pluginDirectories: installed,
      url: inWork('storage'),
      repository: project.repository,
      change: project.change,
      target,
    })
    expect(readdirSync(target)).toEqual(['project.bundle'])
    expect(project.clone(join(target, 'project.bundle'))).toEqual({ head: project.head(), fsck: '' })
    expect([first, second].map(({ issues }) => issues)).toEqual([[], []])
    expect(first.stats.newBytes).toBeGreaterThan(6_000_000)
    // What was packed by git before is in the same places of the new bundle.
    expect(second.stats.newBytes).toBeLessThan(first.stats.newBytes / 2)
  })

  it('are installed and used by the command line: codec and source, into a storage made for the disk', async () => {
    const project = makeGitProject(inWork('git-of-cli'))
    const env = { BKP_DATA_DIR: inWork('data') }
    for (const name of examples) {
      const integrity = `sha512-${createHash('sha512')
        .update(readFileSync(tarballs[`bkp-${name}`] ?? ''))
        .digest('base64')}`
      const args = ['plugins:install', tarballs[`bkp-${name}`] ?? '', '--yes', '--integrity', integrity]
      expect(await bkp(args, { env })).toMatchObject({ code: 0 })
    }
    const place = inWork('cli-storage')
    const target = inWork('cli-restored')
    expect(await bkp(['init', '--to', place], { env })).toMatchObject({ code: 0 })
    const backup = ['backup', '/', '--source', 'git', '--source-option', `repository=${project.repository}`]
    const ran = await bkp([...backup, '--compression', 'brotli', '--to', place, '--json'], { env })
    expect(reportOf<{ issues: unknown[] }>(ran, 0).issues).toEqual([])
    expect((await bkp(['check', '--read-data', '--from', place], { env })).code).toBe(0)
    expect((await bkp(['restore', 'latest', '--from', place, '--target', target], { env })).code).toBe(0)
    expect(project.clone(join(target, 'project.bundle'))).toEqual({ head: project.head(), fsck: '' })
    const listed = reportOf<{ snapshots: unknown[] }>(await bkp(['snapshots', '--from', place, '--json'], { env }), 0)
    expect(listed.snapshots).toMatchObject([
      {
        plugins: [
          { port: 'compression', id: 'brotli', package: 'bkp-codec-brotli', version: '0.1.0' },
          { port: 'source', id: 'git', package: 'bkp-source-git', version: '0.1.0' },
        ],
      },
    ])
    // Without the codec every command that needs it names the package that wrote the repository.
    expect(await bkp(['plugins:uninstall', 'bkp-codec-brotli'], { env })).toMatchObject({ code: 0 })
    for (const command of [
      ['restore', 'latest', '--from', place, '--target', inWork('nowhere')],
      ['check', '--read-data', '--from', place],
      [...backup, '--compression', 'brotli', '--to', place],
    ]) {
      const without = await bkp(command, { env })
      expect(without.code).toBe(1)
      expect(without.stderr).toContain('the compression "brotli"')
      expect(without.stderr).toContain('bkp plugins:install bkp-codec-brotli@0.1.0')
    }
    // So it does for a source, on a machine that never had any of them.
    const elsewhere = await bkp([...backup, '--to', place])
    expect(elsewhere.stderr).toContain('bkp plugins:install bkp-source-git@0.1.0')
  })

  it('say what is missing on this machine', async () => {
    const engine = await engineWith(installed)
    try {
      const url = 'rclone://disk//nowhere?program=no-such-rclone'
      await expect(engine.probe({ name: 'cloud', url })).rejects.toMatchObject({
        message: expect.stringContaining('no-such-rclone'),
        hint: expect.stringContaining('Install rclone'),
      })
    } finally {
      await engine.close()
    }
  })
})
