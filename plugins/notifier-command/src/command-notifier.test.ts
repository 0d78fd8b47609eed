import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isPortError, type Logger, type Notifier, Secret } from '@bkp/plugin-api'
import { describeNotifier, type ServiceState, sampleNotification } from '@bkp/testkit'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { openCommandNotifier } from './command-notifier.js'

const log: Logger = { debug: () => undefined, info: () => undefined, warn: () => undefined }
const token = 'tok-en-secret'
const ours = ['BKP_PASSWORD', 'BKP_RECOVERY_CODE', 'BKP_WEBDAV_PASSWORD', 'BKP_SFTP_KEY_PASSPHRASE', 'BKP_TOKEN']
const patient = () => ({ signal: new AbortController().signal })

async function notifierOf(command: string): Promise<Notifier> {
  return openCommandNotifier({ configuration: { command, token: new Secret(token) }, log })
}

/** A program for each state of a service; what it got lies in files of the folder. */
const programs: Readonly<Record<ServiceState, (folder: string) => string>> = {
  working: (folder) => `n=$(ls '${folder}' | wc -l); cat > '${folder}'/message-$n`,
  offline: () => 'exit 75',
  hanging: () => 'cat > /dev/null; sleep 60',
  refusing: () => 'cat >&2; echo "$BKP_TOKEN" >&2; exit 1',
}

describeNotifier('command', {
  secrets: [token],
  async open(service) {
    const folder = mkdtempSync(join(tmpdir(), 'bkp-notifier-'))
    return {
      notifier: await notifierOf(programs[service](folder)),
      received: async () =>
        readdirSync(folder)
          .sort()
          .map((name) => readFileSync(join(folder, name), 'utf8')),
      dispose: async () => rmSync(folder, { recursive: true }),
    }
  },
})

describe('the program', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'bkp-notifier-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  it('gets the message as JSON and its parts as variables', async () => {
    const notification = sampleNotification('degraded')
    const names = 'BKP_KIND BKP_TITLE BKP_SUMMARY BKP_COMMAND BKP_JOB BKP_HOST BKP_EXIT_CODE BKP_TOKEN'
    const command = `cat > '${folder}/json'; for n in ${names}; do printenv $n; done > '${folder}/variables'`
    await (await notifierOf(command)).notify(notification, patient())
    expect(JSON.parse(readFileSync(join(folder, 'json'), 'utf8'))).toEqual(notification)
    expect(readFileSync(join(folder, 'variables'), 'utf8').split('\n')).toEqual([
      'degraded',
      'bkp backup documents on nas has a result, but not all of it',
      'It is degraded',
      'backup',
      'documents',
      'nas',
      '4',
      token,
      '',
    ])
  })

  it('does not inherit what was for bkp alone, and what other programs know it does', async () => {
    for (const name of ours) vi.stubEnv(name, 'for bkp alone')
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'for aws sns')
    try {
      await (await notifierOf(`env > '${folder}/env'`)).notify(sampleNotification('failed'), patient())
    } finally {
      vi.unstubAllEnvs()
    }
    const inherited = readFileSync(join(folder, 'env'), 'utf8')
    expect(inherited).not.toContain('for bkp alone')
    expect(inherited).toContain('AWS_SECRET_ACCESS_KEY=for aws sns\n')
    expect(inherited).toContain(`BKP_TOKEN=${token}\n`)
  })

  it.each([
    ['exit 3', 'config', 'exit code 3'],
    ['exit 69', 'offline', 'exit code 69'],
    ['exit 75', 'transient', 'exit code 75'],
    ['kill -9 $$', 'transient', 'SIGKILL'],
    ['echo no such mailbox >&2; exit 1', 'config', 'no such mailbox'],
  ])('that ends by "%s" is told of as %s', async (command, code, text) => {
    const error = await (await notifierOf(command)).notify(sampleNotification('failed'), patient()).catch(String)
    expect(error).toContain(text)
    const caught = await (await notifierOf(command))
      .notify(sampleNotification('failed'), patient())
      .catch((reason: unknown) => reason)
    expect(isPortError(caught) && caught.code).toBe(code)
  })

  it('is ended with all that it has started when time is up', async () => {
    const command = `(sleep 1; touch '${folder}/late') & wait`
    const controller = new AbortController()
    const notifying = (await notifierOf(command)).notify(sampleNotification('failed'), controller)
    const timer = setTimeout(() => controller.abort(new Error('time is up')), 100)
    await expect(notifying).rejects.toThrow('time is up')
    clearTimeout(timer)
    await new Promise((resolve) => setTimeout(resolve, 1500))
    expect(existsSync(join(folder, 'late'))).toBe(false)
  })

  it('may leave something in the background', async () => {
    await expect(
      (await notifierOf('sleep 5 & exit 0')).notify(sampleNotification('failed'), patient()),
    ).resolves.toBeUndefined()
  })
})
