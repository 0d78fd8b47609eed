import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bkp, bkpJson, type RunOptions } from '../../support/run-bkp.js'

const work = mkdtempSync(join(tmpdir(), 'bkp-errors-'))
const repository = join(work, 'repository')
const source = join(work, 'source')

const config = join(work, 'config.yaml')
const wrongConfig = join(work, 'wrong.yaml')

beforeAll(async () => {
  mkdirSync(source)
  writeFileSync(
    config,
    `version: 1\nrepositories: { home: { destinations: { disk: ${repository} } } }\njobs: { papers: { paths: [/x] } }\n`,
    { mode: 0o600 },
  )
  writeFileSync(wrongConfig, 'version: 1\nrepositores: {}\njobs:\n  a:\n    paths: /x\n')
  writeFileSync(join(source, 'file'), 'content')
  await bkpJson(['init', '--to', repository])
  await bkpJson(['backup', source, '--to', repository])
})
afterAll(() => rmSync(work, { recursive: true }))

/** Exit code and messages, with what differs from run to run replaced. */
async function errorOf(args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await bkp(args, options)
  expect(stdout).toBe('')
  expect(stderr).not.toContain('This is a fault of bkp')
  const plain = stderr.replaceAll(work, 'WORK').replace(/\b[0-9a-f]{8}\b/g, 'ID')
  return `exit code ${code}\n${plain}`
}

const from = ['--from', repository]
const to = ['--to', repository]

describe('errors say what happened, to what, and what to do', () => {
  it.each<[string, string[], RunOptions?]>([
    ['no such command', ['bakcup']],
    ['no such flag', ['backup', source, ...to, '--frobnicate']],
    ['no repository named', ['backup', source]],
    ['no repository named to read from', ['snapshots'], { env: { BKP_REPOSITORY: '' } }],
    ['a job that is not there', ['backup', '--job', 'documents', '--config', config]],
    ['a configuration that is not there', ['config', 'show', '--config', join(work, 'nowhere.yaml')]],
    ['a configuration with errors', ['stats', '--config', wrongConfig]],
    ['a destination that is misspelt', ['stats', '--from', 'diks', '--config', config]],
    ['an option that the storage does not have', ['stats', '--from', `file://${repository}?colour=red`]],
    ['several destinations', ['backup', source, '--to', '/a', '--to', '/b']],
    ['nothing to back up', ['backup', ...to]],
    ['a source that is not there', ['backup', join(work, 'nowhere'), ...to]],
    ['a size that is none', ['backup', source, ...to, '--exclude-larger-than', 'big']],
    [
      'a level that the codec does not have',
      ['backup', source, ...to, '--compression', 'deflate', '--compression-level', '15'],
    ],
    ['a program that fails', ['backup', '--from-command', 'echo half; exit 3', ...to]],
    ['a password in a URL', ['snapshots', '--from', 'sftp://ann:hunter2@host/x']],
    ['a scheme that no plugin has', ['snapshots', '--from', 'gopher://host/x']],
    ['no repository there', ['snapshots', '--from', join(work, 'nowhere')]],
    ['a folder that is no repository', ['snapshots', '--from', source]],
    ['a repository already', ['init', ...to]],
    ['a wrong passphrase', ['snapshots', ...from], { env: { BKP_PASSWORD: 'wrong' } }],
    ['an empty passphrase', ['snapshots', ...from], { env: { BKP_PASSWORD: '' } }],
    [
      'a recovery code with a typing error',
      ['snapshots', ...from, '--recovery-code'],
      { env: { BKP_RECOVERY_CODE: 'ABCD' } },
    ],
    ['a password file that is not there', ['snapshots', ...from, '--password-file', join(work, 'nowhere')]],
    ['no such snapshot', ['ls', 'ffffffff', ...from]],
    ['no such path', ['ls', 'latest', '/nowhere', ...from]],
    ['dump of a folder', ['dump', `latest:${source}`, ...from]],
    ['a repository without its flag', ['init', '/mnt/disk/backup']],
    ['no target', ['restore', 'latest', ...from]],
    ['a share that is none', ['check', ...from, '--read-data=0%']],
  ])('%s', async (_, args, options) => {
    expect(await errorOf(args, options)).toMatchSnapshot()
  })

  it('show no passphrase and no stack trace, and a trace on request', async () => {
    const wrong = { BKP_PASSWORD: 'hunter2' }
    expect(await errorOf(['snapshots', ...from], { env: wrong })).not.toMatch(/hunter2|^ +at /m)
    const traced = await errorOf(['snapshots', ...from], { env: { ...wrong, DEBUG: 'bkp:*' } })
    expect(traced).toMatch(/^ +at /m)
    expect(traced).not.toContain('hunter2')
  })
})
