import { describe, expect, it } from 'vitest'
import { ConfigError } from './config-error.js'
import type { StorageDescription } from './model.js'
import { parseConfig } from './parse.js'

const secret = 'hunter2-hunter2'

const storages: readonly StorageDescription[] = [
  { id: 'local', displayName: 'Local disk', schemes: ['file'] },
  {
    id: 'cloud',
    displayName: 'Cloud',
    schemes: ['cloud'],
    schema: {
      type: 'object',
      properties: {
        region: { type: 'string' },
        port: { type: 'integer' },
        key: { type: 'string', minLength: 20, 'x-bkp-secret': true },
      },
      required: ['key', 'region'],
      additionalProperties: false,
    },
  },
]

const full = `version: 1
repositories:
  home:
    destinations:
      disk: /mnt/disk/backup
      cloud:
        url: cloud://bucket/home?region=eu
        options:
          port: 443
          key: env:CLOUD_KEY
        limits:
          upload: 5M
          schedule:
            - { from: "22:00", to: "07:00", upload: unlimited }
            - { from: "12:00", to: "13:00", download: 1K }
    require: 1
    password: file:~/.bkp-passphrase
    compression: { id: zstd, level: 9 }
    cipher: xchacha20-poly1305
jobs:
  documents:
    repository: home
    paths: [~/documents]
    excludes: ['*.tmp']
    excludeLargerThan: 2G
    schedule: "30 2 * * *"
    retention: { daily: 7, within: 90d }
    hooks: { before: ['true'] }
  db: { command: pg_dump db, name: db.sql, compression: none }
`

async function problemsOf(text: string): Promise<string[]> {
  const error = await parseConfig(text, storages, 'c.yaml').catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(ConfigError)
  expect(String((error as Error).stack)).not.toContain(secret)
  return (error as Error).message.split('\n').filter((line) => line.startsWith('c.yaml'))
}

const inHome = (lines: string) => `version: 1
repositories:
  home:
${lines}
`
const oneDestination = (lines: string) =>
  inHome(`    destinations:
      cloud:
${lines}`)

describe('a configuration', () => {
  it('is read with its limits in bytes per second, and periods that inherit what they do not say', async () => {
    const { config, warnings } = await parseConfig(full, storages)
    expect(warnings.every(({ path }) => path.startsWith('jobs.documents.'))).toBe(true)
    expect(config.repositories.home).toEqual({
      destinations: expect.objectContaining({
        disk: { url: '/mnt/disk/backup', options: {} },
        cloud: {
          url: 'cloud://bucket/home?region=eu',
          options: { port: 443, key: 'env:CLOUD_KEY' },
          limits: {
            uploadBytesPerSecond: 5 * 1024 ** 2,
            schedule: [
              { from: '22:00', to: '07:00' },
              { from: '12:00', to: '13:00', uploadBytesPerSecond: 5 * 1024 ** 2, downloadBytesPerSecond: 1024 },
            ],
          },
        },
      }),
      require: 1,
      password: 'file:~/.bkp-passphrase',
      compression: { id: 'zstd', level: 9 },
      cipher: 'xchacha20-poly1305',
    })
    expect(config.jobs.documents).toMatchObject({
      excludeLargerThanBytes: 2 * 1024 ** 3,
      tags: [],
      schedule: '30 2 * * *',
    })
    expect(config.jobs.db).toMatchObject({ command: 'pg_dump db', compression: { id: 'none' } })
  })

  it('warns of each key of a job that nothing acts on yet', async () => {
    const { warnings } = await parseConfig(full, storages)
    expect(warnings.map(({ level, line, path, message }) => [level, line, path, message.split(':')[0]])).toEqual([
      ['warning', 26, 'jobs.documents.schedule', 'has no effect yet'],
      ['warning', 27, 'jobs.documents.retention', 'has no effect yet'],
      ['warning', 28, 'jobs.documents.hooks', 'has no effect yet'],
    ])
    const none = 'version: 1\njobs: { a: { paths: [/x], hooks: { before: [] } } }\n'
    expect((await parseConfig(none, storages)).warnings).toEqual([])
  })

  it.each([
    ['', 'c.yaml: is empty; it begins with "version: 1"'],
    ['repositories: {}\n', 'c.yaml:1:1: version is missing'],
    ['version: 2\n', 'c.yaml:1:1: version must be 1'],
    ['version: 1\nrepositores: {}\n', 'c.yaml:2:1: repositores is not known; did you mean "repositories"?'],
    ['version: 1\njobs:\n  a b: { paths: [/x] }\n', 'c.yaml:2:1: jobs has a name that is not made of letters'],
    [
      'version: 1\njobs:\n  a: { tags: [x] }\n',
      'c.yaml:3:3: jobs.a needs paths, a source or a command; a command stands alone',
    ],
    [
      'version: 1\njobs:\n  a: { paths: [/x], repository: hme }\n',
      'c.yaml:3:21: jobs.a.repository is not known; there are none',
    ],
    [
      'version: 1\njobs:\n  a:\n    paths: [/x]\n    schedule: sometimes\n',
      'c.yaml:5:5: jobs.a.schedule is not a cron expression',
    ],
    [
      'version: 1\njobs:\n  a:\n    paths:\n      - /x\n      - 7\n',
      'c.yaml:6:9: jobs.a.paths.1 must be text; put it in quotes',
    ],
    [inHome('    destinations: {}'), 'c.yaml:4:5: repositories.home.destinations must not have fewer than 1'],
    [inHome('    destinations: { a: /a }\n    require: 2'), 'c.yaml:5:5: repositories.home.require is more than the 1'],
    [inHome('    destinations: { a: /a }\n    password: 1234'), 'c.yaml:5:5: repositories.home.password must be text'],
    [
      inHome('    destinations: { a: /a }\n    password: "env:"'),
      'c.yaml:5:5: repositories.home.password the reference "env:" names nothing',
    ],
    [
      oneDestination('        urll: /a'),
      'c.yaml:6:9: repositories.home.destinations.cloud.urll is not known; did you mean "url"?',
    ],
    [
      oneDestination('        url: cloud://b\n        options: { regoin: eu }'),
      'options.regoin is not known; did you mean "region"?',
    ],
    [
      oneDestination('        url: cloud://b\n        options:\n          port: many'),
      'c.yaml:8:11: repositories.home.destinations.cloud.options.port must be integer',
    ],
    [oneDestination('        url: /a\n        options: { x: 1 }'), 'options.x is not known; there are none'],
    [oneDestination(`        url: cloud://b?key=${secret}`), 'url holds the secret "key"'],
    [oneDestination(`        url: cloud://ann:${secret}@b`), 'url holds a password'],
    [oneDestination('        url: cloud://b\n        limits: { upload: fast }'), 'limits.upload must match pattern'],
    [oneDestination('        url: cloud://b\n        limits: { upload: 0 }'), 'limits.upload must be >= 1'],
    [
      oneDestination('        url: cloud://b\n        patience: { slowest: unlimited }'),
      'patience.slowest must match pattern',
    ],
    [
      oneDestination('        url: cloud://b\n        patience: { callSeconds: 0 }'),
      'patience.callSeconds must be >= 1',
    ],
  ])('that is %j is refused with place, path and reason', async (text, expected) => {
    expect((await problemsOf(text)).join('\n')).toContain(expected)
  })

  it.each([
    `version: 1\nrepositories: {\n  password: ${secret}`,
    `version: 1\nversion: ${secret}\n`,
    `version: 1\n\tpassword: ${secret}\n`,
    `version: 1\npassword: "${secret}\n`,
    `version: 1\npassword: *${secret}\n`,
    `version: 1\npassword: !${secret} x\n`,
    `version: 1\npassword: @${secret}\n`,
    `version: 1\npassword: "\\q${secret}"\n`,
    `version: 1\n---\npassword: ${secret}\n`,
    `version: 1\n${secret}\nx: ${secret}: y\n`,
  ])('that is no YAML is refused by line, without a word of it: %#', async (text) => {
    const [first] = await problemsOf(text)
    expect(first).toMatch(/^c\.yaml:[1-9]\d*:[1-9]\d*: /)
    expect(first).not.toContain('is not valid YAML (')
  })

  it('names all errors at once', async () => {
    expect(await problemsOf('version: 3\nx: 1\njobs: []\n')).toHaveLength(3)
  })

  it('has warnings of secrets in it and of schemes that nobody knows', async () => {
    const text = `${inHome(`    password: ${secret}\n    destinations: { far: 'gopher://x' }`)}`
    const { warnings } = await parseConfig(text, storages)
    expect(warnings.map(({ level, line, path }) => `${level} ${line} ${path}`)).toEqual([
      'warning 4 repositories.home.password',
      'warning 5 repositories.home.destinations.far.url',
    ])
    expect(JSON.stringify(warnings)).not.toContain(secret)
  })

  it('may have names that objects have too', async () => {
    const { config } = await parseConfig('version: 1\njobs:\n  constructor: { paths: [/x] }\n', [])
    expect(Object.keys(config.jobs)).toEqual(['constructor'])
    expect(config.jobs.toString).toBeUndefined()
  })
})
