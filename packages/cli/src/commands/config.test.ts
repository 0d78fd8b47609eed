import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type RanCommand, type RunCommandOptions, runCommand } from '../testing/run-command.js'
import { passphrase } from '../testing/samples.js'
import { violations } from '../testing/schemas.js'

const literal = 'literal-hunter2'
const fromEnvironment = 'environment-hunter2'
const exportPassphrase = 'export-hunter2'
const secrets = [literal, fromEnvironment, exportPassphrase, passphrase]

const text = `# the key is ${literal}
version: 1
repositories:
  home:
    destinations:
      disk: { url: /mnt/disk, limits: { upload: 1M, schedule: [{ from: "22:00", to: "07:00" }] } }
      cloud:
        url: cloud://bucket
        options:
          keyId: k1
          secretKey: ${literal}
    password: env:HOME_PASSWORD
jobs:
  documents: { paths: [~/documents] }
`

let home = ''
let file = ''
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'bkp-config-'))
  file = join(home, '.config/bkp/config.yaml')
  mkdirSync(join(home, '.config/bkp'), { recursive: true })
  writeFileSync(file, text, { mode: 0o600 })
})
afterEach(() => rmSync(home, { recursive: true }))

const env = { HOME_PASSWORD: fromEnvironment, BKP_EXPORT_PASSWORD: exportPassphrase, DEBUG: 'bkp:*' }

/** Runs a command, whose output must hold no secret. */
async function run(argv: readonly string[], options: RunCommandOptions = {}): Promise<RanCommand> {
  const ran = await runCommand(argv, { home, env, ...options })
  for (const secret of secrets) expect(ran.stdout + ran.stderr).not.toContain(secret)
  return ran
}

describe('config show, path and validate', () => {
  it('show no secret and no comment, and references as they are', async () => {
    const { stdout } = await run(['config:show'])
    expect(stdout).toContain('secretKey: "[secret]"')
    expect(stdout).toContain('password: env:HOME_PASSWORD')
    expect(stdout).not.toContain('#')
    expect((await run(['config:path'])).stdout).toBe(`${file}\n`)
  })

  it('tell warnings and errors by line', async () => {
    const valid = await run(['config:validate'])
    expect(valid.exitCode).toBe(0)
    expect(valid.stdout).toContain(
      `${file}:11:11: repositories.home.destinations.cloud.options.secretKey is a secret in the file itself`,
    )
    writeFileSync(file, text.replace('keyId', 'kyId').replace('version: 1', 'version: 7'))
    const invalid = await run(['config:validate'])
    expect(invalid.exitCode).toBe(2)
    expect(invalid.stdout).toContain(`error  ${file}:2:1: version must be 1`)
    expect((await run(['config:show'])).exitCode).toBe(2)
    writeFileSync(file, text.replace('keyId', 'kyId'))
    expect((await run(['config:validate'])).stdout).toContain('kyId is not known; did you mean "keyId"?')
  })

  it('say so when there is no file', async () => {
    rmSync(file)
    const { exitCode, stderr } = await run(['config:show'])
    expect(exitCode).toBe(2)
    expect(stderr).toContain(`There is no configuration file ${file}`)
  })
})

describe('config edit', () => {
  const writing = (...versions: string[]) => ({
    editFile: async (path: string) => writeFileSync(path, versions.shift() as string),
  })

  it('takes over what is valid, for its owner alone', async () => {
    const changed = text.replace('documents:', 'letters:')
    expect((await run(['config:edit'], writing(changed))).stdout).toBe(`Saved ${file}\n`)
    expect(readFileSync(file, 'utf8')).toBe(changed)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect((await run(['config:edit'], writing(changed))).stdout).toContain('is as it was')
  })

  it('keeps the old file and the new text when that is not valid', async () => {
    const { exitCode, stderr } = await run(['config:edit'], writing('version: 9\n'))
    expect(exitCode).toBe(2)
    expect(stderr).toContain('version must be 1')
    expect(readFileSync(file, 'utf8')).toBe(text)
    expect(readFileSync(`${file}.rejected`, 'utf8')).toBe('version: 9\n')
  })

  it('lets a person edit again', async () => {
    const ran = await run(['config:edit'], { ...writing('version: 9\n', 'version: 1\n'), answers: [] })
    expect(ran.exitCode).toBe(0)
    expect(ran.questions).toEqual(['Edit it again?'])
    expect(readFileSync(file, 'utf8')).toBe('version: 1\n')
  })

  it('begins a file that names its schema', async () => {
    rmSync(file)
    let shown = ''
    await run(['config:edit'], {
      editFile: async (path) => {
        shown = readFileSync(path, 'utf8')
        writeFileSync(path, `${shown}# mine\n`)
      },
    })
    expect(shown).toMatch(/^# yaml-language-server: \$schema=.*config\.schema\.json\nversion: 1\n/)
    expect(readFileSync(file, 'utf8')).toContain('# mine')
  })

  it('changes nothing when the editor fails', async () => {
    const failing = { editFile: async () => Promise.reject(new Error('no such editor')) }
    expect((await runCommand(['config:edit'], { home, env: {}, ...failing })).exitCode).toBe(1)
    expect(readFileSync(file, 'utf8')).toBe(text)
  })
})

describe('config export and import', () => {
  it('move the configuration without its secrets', async () => {
    const { stdout, stderr } = await run(['config:export'])
    expect(stderr).toContain('cloud.options.secretKey is a secret and was left out')
    expect(stdout).toContain('password: env:HOME_PASSWORD')
    const exported = join(home, 'exported.yaml')
    writeFileSync(exported, stdout)
    expect(await run(['config:import', exported])).toMatchObject({ exitCode: 2 })
    expect((await run(['config:import', exported, '--force'])).exitCode).toBe(0)
    expect(readFileSync(`${file}.old`, 'utf8')).toBe(text)
    expect((await run(['config:validate'])).exitCode).toBe(0)
  })

  it('move it with all secrets, encrypted, and to a machine that has none of them', async () => {
    const sealed = join(home, 'config.age')
    expect((await run(['config:export', '--with-secrets', '--output', sealed])).stdout).toBe(`Exported to ${sealed}\n`)
    expect(readFileSync(sealed, 'utf8')).toMatch(/^-----BEGIN AGE ENCRYPTED FILE-----\n/)
    expect(statSync(sealed).mode & 0o777).toBe(0o600)
    rmSync(file)
    const wrong = await run(['config:import', sealed], { env: { BKP_EXPORT_PASSWORD: 'wrong' } })
    expect(wrong).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('does not open with this passphrase') })
    expect(existsSync(file)).toBe(false)
    expect((await run(['config:import', sealed])).exitCode).toBe(0)
    const imported = readFileSync(file, 'utf8')
    expect(imported).toContain(`password: ${fromEnvironment} # was env:HOME_PASSWORD`)
    expect(imported).toContain(`secretKey: ${literal}`)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    // The key of the file is made slow to guess, three times.
  }, 120_000)

  it('say what a new machine needs beside the file', async () => {
    const key = join(home, 'key')
    writeFileSync(key, '')
    writeFileSync(file, text.replace('keyId: k1', `keyId: ${key}`).replace(/\n +password:.*/, ''))
    const { stderr } = await run(['config:export', '--with-secrets', '--output', join(home, 'config.age')])
    expect(stderr).toContain('The passphrase of home is not in the configuration, and so not in the export')
    expect(stderr).toContain(`The file ${key} (keyId of home:cloud) is not in the export`)
  })

  it('ask for the passphrase, twice when it is new', async () => {
    const sealed = join(home, 'config.age')
    const bare = { env: { HOME_PASSWORD: fromEnvironment } }
    const exporting = ['config:export', '--with-secrets', '--output', sealed]
    expect((await run(exporting, { ...bare, answers: [exportPassphrase, 'other'] })).exitCode).toBe(2)
    expect(existsSync(sealed)).toBe(false)
    expect((await run(exporting, { ...bare, answers: [exportPassphrase, exportPassphrase] })).questions).toHaveLength(2)
    expect((await run(['config:import', sealed, '--force'], { ...bare, answers: [exportPassphrase] })).exitCode).toBe(0)
  })

  it('replace no file that is there unless told so: it may be the only one, under another passphrase', async () => {
    const sealed = join(home, 'config.age')
    writeFileSync(sealed, 'sealed before')
    const exporting = ['config:export', '--with-secrets', '--output', sealed]
    const refused = await run(exporting, { env: { HOME_PASSWORD: fromEnvironment }, answers: [] })
    expect(refused).toMatchObject({ exitCode: 2, questions: [], stdout: '' })
    expect(refused.stderr).toContain(`There is a file already: ${sealed}`)
    expect(refused.stderr).toContain('--force')
    expect(readFileSync(sealed, 'utf8')).toBe('sealed before')
    expect((await run([...exporting, '--force'])).exitCode).toBe(0)
    expect(readFileSync(sealed, 'utf8')).toMatch(/^-----BEGIN AGE ENCRYPTED FILE-----\n/)
  }, 120_000)

  it('are complete or fail: a secret that cannot be had ends the export', async () => {
    const { exitCode, stderr } = await run(['config:export', '--with-secrets'], {
      env: { BKP_EXPORT_PASSWORD: exportPassphrase },
    })
    expect(exitCode).toBe(2)
    expect(stderr).toContain(
      'repositories.home.password comes from the environment variable HOME_PASSWORD, which is not set',
    )
  })

  it('refuse a file that is no configuration', async () => {
    const other = join(home, 'other')
    writeFileSync(other, Buffer.from([0, 255, 254]))
    expect((await run(['config:import', other, '--force'])).exitCode).toBe(2)
    writeFileSync(other, 'just text')
    expect((await run(['config:import', other, '--force'])).exitCode).toBe(2)
    expect(readFileSync(file, 'utf8')).toBe(text)
  })
})

describe('destinations', () => {
  it('are listed with what is known of them', async () => {
    expect((await run(['destinations:list'])).stdout).toMatchInlineSnapshot(`
      "REPOSITORY  NAME   URL             OPTIONS          LIMITS
      home        disk   /mnt/disk                        up 1 MiB/s, 22:00-07:00
      home        cloud  cloud://bucket  keyId secretKey
      "
    `)
  })

  it('are added, with comments kept, and removed', async () => {
    expect((await run(['destinations:add', 'nas', './nas'])).stdout).toBe(
      `Added nas to home in ${file}: ${process.cwd()}/nas\nTry it: bkp destinations test --to nas\nBegin a repository: bkp init --to home; or, where the others hold it already: bkp sync --to nas\n`,
    )
    const added = readFileSync(file, 'utf8')
    expect(added).toContain(`nas:\n        url: ${process.cwd()}/nas\n`)
    expect(added).toContain(`# the key is ${literal}`)
    expect((await run(['destinations:add', 'nas', '/x'])).stderr).toContain('has a destination nas already')
    expect((await run(['destinations:remove', 'nas'])).exitCode).toBe(0)
    expect(readFileSync(file, 'utf8')).not.toContain('nas')
    expect((await run(['destinations:remove', 'nas'])).stderr).toContain('There is no destination "nas"')
  })

  it('are added with options as the storage wants them, and a warning of what is missing', async () => {
    rmSync(file)
    const set = ['--set', 'port=22', '--set', 'pathStyle=true', '--set', 'secretKey=env:K', '--repository', 'photos']
    const { stderr } = await run(['destinations:add', 'far', 'cloud://b?region=eu', ...set])
    expect(stderr).toContain('The option keyId is missing')
    expect(readFileSync(file, 'utf8')).toContain(`      far:
        url: cloud://b?region=eu
        options:
          port: 22
          pathStyle: true
          secretKey: env:K
`)
  })

  it('of plugins of others may lie at a path without a host', async () => {
    expect((await run(['destinations:add', 'far', 'cloud:///folder'])).exitCode).toBe(0)
    expect(readFileSync(file, 'utf8')).toContain('url: cloud:///folder')
  })

  it('ask on a terminal for what the storage wants and nothing else gives', async () => {
    rmSync(file)
    const ran = await run(['destinations:add', 'far', 'cloud://b'], { answers: ['k2', literal] })
    expect(ran.questions.map((question) => question.split(' ')[0])).toEqual(['keyId', 'secretKey'])
    expect(ran.stderr).toContain('secretKey is a secret in the file itself')
    expect(readFileSync(file, 'utf8')).toContain(`secretKey: ${literal}`)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const env = { CLOUD_SECRET: literal }
    expect((await run(['destinations:add', 'b', 'cloud://b?keyId=1'], { answers: [], env })).questions).toEqual([])
  })

  it.each([
    [['far', 'cloud://b', '--set', `secretKey=${literal}`], '"secretKey" is a secret, and every user'],
    [['far', 'cloud://b', '--set', literal], '--set number 1 is not NAME=VALUE'],
    [['far', 'cloud://b', '--set', 'port=many'], 'option port must be integer'],
    [['far', 'cloud://b', '--set', 'prot=22'], 'option prot is not known; did you mean "port"?'],
    [['far', `cloud://b?secretKey=${literal}`], 'holds the secret "secretKey"'],
    [['far', `cloud://ann:${literal}@b`], 'holds a password'],
    [['far', 'gopher://b'], 'No plugin can reach gopher: URLs'],
    [['f/r', '/b'], 'The name "f/r" is not made of letters'],
    [['far', 'cloud//b'], 'Write cloud://b, or for a folder ./cloud//b'],
    [['far', 'ann@host:/b'], 'Write sftp://ann@host/b'],
    [['far', `cloud//ann:${literal}@b`], '"cloud//ann@b" lacks the colon of a URL'],
    [['far', 'cloud:b'], 'is neither a URL nor REPOSITORY:DESTINATION'],
    [['far', 's3:///folder'], 's3:///folder names no host or bucket'],
    [['far', 'cloud://'], 'cloud:// names no host or bucket'],
    [['far', 'cloud://b:port/x'], 'has a port that is no number'],
    [['far', 'cloud://b?port=many'], 'option port must be integer'],
    [['far', 'cloud://b?regoin=x'], 'did you mean "region"?'],
    [['far', 'clod://b'], 'Did you mean cloud?'],
    [['far', 'http://b'], 'A WebDAV server is webdav://HOST/PATH'],
  ])('are not added by %j', async (argv, reason) => {
    const { exitCode, stderr } = await run(['destinations:add', ...argv])
    expect(exitCode).toBe(2)
    expect(stderr).toContain(reason)
    expect(readFileSync(file, 'utf8')).toBe(text)
  })
})

describe('JSON output', () => {
  it.each([
    ['config-path', ['config:path']],
    ['config-show', ['config:show']],
    ['config-validate', ['config:validate']],
    ['config-edit', ['config:edit']],
    ['config-export', ['config:export']],
    ['config-export', ['config:export', '--with-secrets']],
    ['destinations-list', ['destinations:list']],
    ['destinations-add', ['destinations:add', 'nas', '/nas']],
    ['destinations-remove', ['destinations:remove', 'cloud']],
  ])('of %s fits its published schema: %j', async (schema, argv) => {
    const [document] = (await run([...argv, '--json'], { editFile: async () => undefined })).json()
    expect(violations(`${schema}.json`, document)).toEqual([])
  })

  it('of import and of an invalid file fit theirs too', async () => {
    const exported = join(home, 'exported.yaml')
    writeFileSync(exported, (await run(['config:export'])).stdout)
    const [document] = (await run(['config:import', exported, '--force', '--json'])).json()
    expect(violations('config-import.json', document)).toEqual([])
    writeFileSync(file, 'version: 9\n')
    const invalid = await run(['config:validate', '--json'])
    expect(violations('config-validate.json', invalid.json()[0])).toEqual([])
    expect(invalid.json()).toMatchObject([{ valid: false, problems: [{ line: 1, column: 1, path: 'version' }] }])
  })
})
