import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Destination } from '@bkp/core'
import { isSecret } from '@bkp/plugin-api'
import { afterAll, describe, expect, it } from 'vitest'
import { type RunCommandOptions, runCommand } from '../testing/run-command.js'
import { passphrase } from '../testing/samples.js'
import { placeHint, syncHint } from './place-names.js'

const home = mkdtempSync(join(tmpdir(), 'bkp-places-'))
afterAll(() => rmSync(home, { recursive: true }))
const file = join(home, '.config', 'bkp', 'config.yaml')
mkdirSync(join(home, '.config', 'bkp'), { recursive: true })
const secret = 'hunter2-of-the-cloud'

const config = `version: 1
repositories:
  photos:
    destinations:
      disk: ~/disk
      nas: { url: nas, limits: { upload: 1M, download: 2M } }
      cloud: { url: 'cloud://b?region=eu', options: { keyId: k1, secretKey: 'env:MY_CLOUD' } }
    require: 2
    password: command:echo ${passphrase}
  work:
    destinations: { disk: /mnt/work }
jobs:
  documents:
    repository: photos
    paths: [~/documents, notes]
    excludes: ['*.tmp']
    excludeCaches: true
    tags: [weekly]
    compression: { id: deflate, level: 3 }
  all: { paths: [/], repository: work }
`
writeFileSync(file, config, { mode: 0o600 })

async function opened(argv: readonly string[], options: RunCommandOptions = {}): Promise<readonly Destination[]> {
  const { engine, stderr, exitCode } = await run(argv, options)
  expect(stderr).toBe('')
  expect(exitCode).toBe(0)
  return engine.opened
}
const run = (argv: readonly string[], options: RunCommandOptions = {}) =>
  runCommand(argv, { home, env: { BKP_PASSWORD: passphrase, MY_CLOUD: secret }, ...options })

const stats = (...from: string[]) => ['stats', ...from.flatMap((name) => ['--from', name])]
const namesOf = (destinations: readonly Destination[]) => destinations.map(({ name }) => name)

describe('a place', () => {
  it('is a URL or a folder, as many as are given', async () => {
    expect(await opened(stats('/a', 'gopher://x?b=c', './photos'))).toEqual([
      { name: '/a', url: '/a' },
      { name: 'gopher://x', url: 'gopher://x?b=c' },
      { name: join(process.cwd(), 'photos'), url: join(process.cwd(), 'photos') },
    ])
  })

  it('that differs from another in its options alone is told apart, also in what to type next', async () => {
    const [one, other] = ['gopher://x?endpoint=a', 'gopher://x?endpoint=b']
    const destinations = await opened(stats(one, other))
    expect(destinations).toEqual([
      { name: 'gopher://x', url: one },
      { name: 'gopher://x (2)', url: other },
    ])
    const places = { destinations, require: 'all' } as const
    expect(placeHint('--from', places, [{ name: 'gopher://x (2)' }])).toBe(`--from '${one}'`)
    expect(syncHint(places, [{ name: 'gopher://x (2)' }])).toBe(`bkp sync --from '${one}' --to 'gopher://x?…'`)
  })

  it('is the name of a repository and means all its destinations, with paths from home or beside the file', async () => {
    const destinations = await opened(stats('photos'))
    expect(namesOf(destinations)).toEqual(['disk', 'nas', 'cloud'])
    const [disk, nas, cloud] = destinations
    expect(disk).toEqual({ name: 'disk', url: join(home, 'disk') })
    expect(nas).toMatchObject({ url: join(home, '.config/bkp/nas'), limits: { uploadBytesPerSecond: 1024 ** 2 } })
    expect(cloud).toMatchObject({ url: 'cloud://b?region=eu', options: { keyId: 'k1' } })
    const { secretKey } = cloud?.options ?? {}
    expect(isSecret(secretKey) && secretKey.reveal()).toBe(secret)
  })

  it('is the name of a destination, with its repository where several have one of that name', async () => {
    expect(namesOf(await opened(stats('nas', 'cloud', 'nas')))).toEqual(['nas', 'cloud'])
    expect(await opened(stats('work:disk'))).toEqual([{ name: 'disk', url: '/mnt/work' }])
    expect(await run(stats('disk'))).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('photos:disk or work:disk'),
    })
    expect((await run(stats('nas', 'work'))).stderr).toContain('different repositories: photos, work')
  })

  it('that seems misspelt is refused, and no folder of that name is made', async () => {
    const { exitCode, stderr } = await run(['init', '--to', 'phtos'])
    expect(exitCode).toBe(2)
    expect(stderr).toContain('Did you mean photos? A folder is written ./phtos')
    expect(await opened(stats('elsewhere'))).toEqual([
      { name: join(process.cwd(), 'elsewhere'), url: join(process.cwd(), 'elsewhere') },
    ])
  })

  it('comes from the environment, or from the only repository there is', async () => {
    const env = { BKP_PASSWORD: passphrase, MY_CLOUD: secret }
    expect(
      namesOf(await opened(stats(), { env: { ...env, BKP_DESTINATIONS: 'nas\ncloud', BKP_REPOSITORY: '/x' } })),
    ).toEqual(['nas', 'cloud'])
    expect(namesOf(await opened(stats(), { env: { ...env, BKP_REPOSITORY: '/x' } }))).toEqual(['/x'])
    const several = await run(stats())
    expect(several).toMatchObject({ exitCode: 2 })
    expect(several.stderr).toContain('--from photos | --from work')
    const single = join(home, 'single.yaml')
    writeFileSync(single, 'version: 1\nrepositories: { one: { destinations: { d: /d } } }\n')
    expect(namesOf(await opened([...stats(), '--config', single]))).toEqual(['d'])
    expect(namesOf(await opened(stats(), { env: { ...env, BKP_CONFIG: single } }))).toEqual(['d'])
  })

  it('needs no configuration, but one that is named must be there', async () => {
    expect(namesOf(await opened(stats('/a'), { home: '/nonexistent' }))).toEqual(['/a'])
    expect(await run([...stats('nas'), '--config', '/nowhere.yaml'])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('There is no configuration file /nowhere.yaml'),
    })
  })

  it('has the limits of the flags instead of its own', async () => {
    const argv = ['restore', 'latest', '--from', 'nas', '--target', '/tmp/x', '--limit-download', '5K']
    expect(await opened(argv)).toMatchObject([
      { limits: { uploadBytesPerSecond: 1024 ** 2, downloadBytesPerSecond: 5120 } },
    ])
    expect((await run([...argv.slice(0, -1), 'fast'])).stderr).toContain('--limit-download fast is not a rate')
  })

  it('opens with the passphrase that its repository refers to, when nothing else gives one', async () => {
    expect(await opened(stats('nas'), { env: { MY_CLOUD: secret } })).toHaveLength(1)
    expect(await run(stats('nas'), { env: { BKP_PASSWORD: 'wrong' } })).toMatchObject({ exitCode: 12 })
  })

  it('whose secret cannot be had says which, and shows none', async () => {
    const { exitCode, stderr } = await run(stats('cloud'), { env: { BKP_PASSWORD: passphrase } })
    expect(exitCode).toBe(2)
    expect(stderr).toContain(
      'option secretKey of photos:cloud comes from the environment variable MY_CLOUD, which is not set',
    )
  })

  it('has its secrets fetched once, and those of the others never', async () => {
    const counted = join(home, 'counted.yaml')
    const asked = join(home, 'asked')
    const place = (name: string) =>
      `      ${name}: { url: 'cloud://${name}', options: { secretKey: 'command:echo ${name} >> ${asked}; echo ${secret}' } }`
    const lines = ['version: 1', 'repositories:', '  one:', '    destinations:', ...['a', 'b', 'c', 'd'].map(place)]
    writeFileSync(
      counted,
      [...lines, `    password: command:echo passphrase >> ${asked}; echo ${passphrase}`].join('\n'),
      {
        mode: 0o600,
      },
    )
    const askedBy = async (argv: readonly string[]) => {
      writeFileSync(asked, '')
      expect(await run([...argv, '--config', counted], { env: {} })).toMatchObject({ exitCode: 0 })
      return readFileSync(asked, 'utf8').trim().split('\n').sort()
    }
    expect(await askedBy(['backup', home, '--to', 'b'])).toEqual(['b', 'passphrase'])
    const restore = ['restore', 'latest', '--target', join(home, 'restored')]
    expect(await askedBy([...restore, '--from', 'one:c', '--from', 'c', '--from', 'd'])).toEqual([
      'c',
      'd',
      'passphrase',
    ])
    expect(await askedBy(['sync', '--from', 'a', '--to', 'b'])).toEqual(['a', 'b'])
    expect(await askedBy(['sync', '--from', 'one', '--to', 'one'])).toEqual(['a', 'b', 'c', 'd'])
    expect(await askedBy(stats('one'))).toEqual(['a', 'b', 'c', 'd', 'passphrase'])
  })

  it('with a secret in the file is used, with a warning that does not show it', async () => {
    const open = join(home, 'open.yaml')
    writeFileSync(open, `version: 1\nrepositories: { one: { destinations: { d: /d }, password: ${passphrase} } }\n`, {
      mode: 0o644,
    })
    const { exitCode, stderr } = await run([...stats('one'), '--config', open], { env: {} })
    expect(exitCode).toBe(0)
    expect(stderr).toContain('repositories.one.password is a secret in the file itself')
    expect(stderr).toContain('other users may read it')
    expect(stderr).not.toContain(passphrase)
  })
})

describe('a job', () => {
  const backupOf = async (argv: readonly string[]) => {
    const { engine, stderr } = await run(argv)
    expect(stderr).toBe('')
    const call = engine.calls.find(({ operation }) => operation === 'backup')
    const options = call?.options as { paths: Uint8Array[] } & Record<string, unknown>
    return { ...options, paths: options.paths.map((path) => Buffer.from(path).toString()), to: namesOf(engine.opened) }
  }
  mkdirSync(join(home, 'documents'))

  it('gives what the flags do not', async () => {
    const expected = {
      paths: [join(home, 'documents'), join(home, '.config/bkp/notes')],
      excludes: ['*.tmp'],
      excludeCaches: true,
      oneFileSystem: false,
      tags: ['weekly'],
      compression: { id: 'deflate', configuration: { level: 3 } },
      to: ['disk', 'nas', 'cloud'],
    }
    expect(await backupOf(['backup', 'documents'])).toMatchObject(expected)
    expect(await backupOf(['backup', '--job', 'documents'])).toMatchObject(expected)
  })

  it('gives way to flags', async () => {
    const flags = ['--tag', 'now', '--exclude', 'x', '--no-exclude-caches', '--compression', 'zstd', '--to', 'nas']
    expect(await backupOf(['backup', 'documents', ...flags])).toMatchObject({
      excludes: ['x'],
      excludeCaches: false,
      tags: ['now'],
      compression: { id: 'zstd', configuration: {} },
      to: ['nas'],
    })
  })

  it('with keys that have no effect yet is backed up, with one warning for each', async () => {
    const idle = join(home, 'idle.yaml')
    const keys = 'schedule: "30 2 * * *", retention: { daily: 7 }'
    writeFileSync(
      idle,
      `version: 1\njobs:\n  a: { paths: [/], ${keys} }\n  a.b: { paths: [/], ${keys} }\n  c: { paths: [/] }\n`,
    )
    const warningsOf = async (job: string) => {
      const { exitCode, stderr } = await run(['backup', '--job', job, '--to', '/r', '--config', idle])
      expect(exitCode).toBe(0)
      return stderr.split('\n').filter((line) => line.includes('has no effect yet'))
    }
    expect(await warningsOf('a')).toEqual([
      expect.stringContaining(`${idle}:3: jobs.a.schedule has no effect yet`),
      expect.stringContaining(`${idle}:3: jobs.a.retention has no effect yet`),
    ])
    expect(await warningsOf('c')).toEqual([])
    const { exitCode, stdout } = await run(['config:validate', '--config', idle])
    expect(exitCode).toBe(0)
    expect(stdout.match(/has no effect yet/g)).toHaveLength(4)
  })

  it('with hooks is refused, since nobody would run them', async () => {
    const hooked = join(home, 'hooked.yaml')
    writeFileSync(hooked, 'version: 1\njobs:\n  db: { paths: [/], hooks: { before: [pg_dump db] } }\n')
    const { exitCode, stderr, engine } = await run(['backup', 'db', '--to', '/r', '--config', hooked])
    expect(exitCode).toBe(2)
    expect(stderr).toContain('The job "db" has hooks, and bkp does not run them yet')
    expect(engine.calls).toEqual([])
    expect(await run(['config:validate', '--config', hooked])).toMatchObject({ exitCode: 0 })
  })

  it('that is not there is named with what was meant', async () => {
    const { exitCode, stderr } = await run(['backup', '--job', 'document'])
    expect(exitCode).toBe(2)
    expect(stderr).toContain('The job "document" is not known; did you mean "documents"?')
  })

  it('that seems misspelt where only a path could be meant is named, too', async () => {
    const { exitCode, stderr } = await run(['backup', 'documnets'])
    expect(exitCode).toBe(1)
    expect(stderr).toContain(`There is neither a file or folder ${join(process.cwd(), 'documnets')} nor a job`)
    expect(stderr).toContain('Did you mean the job documents? A path is written ./documnets')
    for (const given of [['./documnets'], ['something-else'], ['documnets', '--from-command', 'x']])
      expect((await run(['backup', ...given])).stderr).not.toContain('Did you mean')
    const ofSource = ['backup', 'documnets', '--source', 'git', '--to', 'nas']
    expect((await run(ofSource)).stderr).not.toContain('Did you mean')
  })

  it('gives way to a path of the same name, and says so', async () => {
    const before = process.cwd()
    process.chdir(home)
    try {
      const { engine, stderr } = await run(['backup', 'documents', '--to', '/r'])
      expect(stderr).toContain('the job of that name runs by --job documents')
      expect(namesOf(engine.opened)).toEqual(['/r'])
    } finally {
      process.chdir(before)
    }
  })
})
