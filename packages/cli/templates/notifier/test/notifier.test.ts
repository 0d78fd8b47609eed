import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Notification } from '@bkp/plugin-api'
import { expectPortRejection, openNotifierOf } from '@bkp/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import plugin from '../src/index.js'

const failed: Notification = {
  kind: 'failed',
  command: 'backup',
  host: 'server',
  startedAt: '2026-11-24T02:00:00Z',
  finishedAt: '2026-11-24T02:01:00Z',
  summary: 'There is no repository.\nMake one: bkp init',
  exitCode: 10,
}
const { signal } = new AbortController()

describe('notifier {{id}}', () => {
  let folder: string

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'plugin-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  it('appends one line for each message', async () => {
    const file = join(folder, 'messages.log')
    const notifier = await openNotifierOf(plugin, { configuration: { file } })
    await notifier.notify(
      { kind: 'started', command: 'backup', host: 'server', startedAt: failed.startedAt, summary: 'A backup began' },
      { signal },
    )
    await notifier.notify(failed, { signal })
    await notifier.close()
    expect(await readFile(file, 'utf8')).toBe(
      '2026-11-24T02:00:00Z started backup on server: A backup began\n' +
        '2026-11-24T02:01:00Z failed backup on server: There is no repository.; Make one: bkp init\n',
    )
  })

  it('says what is wrong when it cannot write', async () => {
    const notifier = await openNotifierOf(plugin, { configuration: { file: join(folder, 'no', 'folder') } })
    await expectPortRejection('config', () => notifier.notify(failed, { signal }))
  })

  it('stops when bkp waits no longer', async () => {
    const notifier = await openNotifierOf(plugin, { configuration: { file: join(folder, 'messages.log') } })
    await expect(notifier.notify(failed, { signal: AbortSignal.abort() })).rejects.toThrow('aborted')
  })

  it('needs a file', () => expectPortRejection('config', () => openNotifierOf(plugin)))
})
