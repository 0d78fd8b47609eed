import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { CommandReader, type Patience } from './command-reader.js'

let folder = ''
let messages: string[] = []
const log = {
  debug: () => undefined,
  info: () => undefined,
  warn: (message: string) => {
    messages.push(message)
  },
}

beforeEach(async () => {
  messages = []
  folder = await mkdtemp(join(tmpdir(), 'bkp-command-'))
})
afterEach(() => rm(folder, { recursive: true }))

async function readAll(reader: CommandReader): Promise<string> {
  const into = Buffer.alloc(65_536)
  const pieces: string[] = []
  for (let count = await reader.read(into); count > 0; count = await reader.read(into)) {
    pieces.push(into.toString('latin1', 0, count))
  }
  return pieces.join('')
}

describe('a program as a source', () => {
  it('gives what it prints, and is stable when it succeeds', async () => {
    const reader = new CommandReader('printf one; printf two', log)
    expect(await readAll(reader)).toBe('onetwo')
    expect(await reader.close()).toBe('stable')
  })

  it('inherits what other programs know, and not what was for bkp alone', async () => {
    for (const name of ['BKP_PASSWORD', 'BKP_RECOVERY_CODE', 'BKP_WEBDAV_TOKEN', 'BKP_SFTP_KEY_PASSPHRASE'])
      vi.stubEnv(name, 'for bkp alone')
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'for aws s3')
    try {
      const inherited = await readAll(new CommandReader('env', log))
      expect(inherited).not.toContain('for bkp alone')
      expect(inherited).toContain('AWS_SECRET_ACCESS_KEY=for aws s3\n')
    } finally {
      vi.unstubAllEnvs()
    }
  })

  it('may print nothing', async () => {
    const reader = new CommandReader('true', log)
    expect(await readAll(reader)).toBe('')
    expect(await reader.close()).toBe('stable')
  })

  it('logs what it writes to its standard error, line by line, to the last one', async () => {
    const reader = new CommandReader('echo dumping >&2; echo content; printf "row 1\\nrow 2" >&2', log)
    await readAll(reader)
    await reader.close()
    expect(messages).toEqual(['dumping', 'row 1', 'row 2'])
  })

  it.each([
    { command: 'echo half; exit 3', how: '`echo half; exit 3` ended with exit code 3' },
    { command: 'echo half; kill -9 $$', how: '`echo half; kill -9 $$` ended with signal SIGKILL' },
    { command: 'no-such-program-here', how: '`no-such-program-here` ended with exit code 127' },
    {
      command: 'false postgres://ann:secret@host/db',
      how: '`false postgres://ann:***@host/db` ended with exit code 1',
    },
  ])('fails when closed after $command', async ({ command, how }) => {
    const reader = new CommandReader(command, log)
    await readAll(reader)
    await expect(reader.close()).rejects.toMatchObject({ code: 'config', message: `${how}, so no snapshot was made` })
  })

  it('fails when it ends badly after it closed its output', async () => {
    const reader = new CommandReader('echo all; exec >&-; sleep 0.1; exit 4', log)
    expect(await readAll(reader)).toBe('all\n')
    await expect(reader.close()).rejects.toMatchObject({ code: 'config' })
  })

  it('waits while nobody reads', async () => {
    const done = join(folder, 'done')
    const reader = new CommandReader(`head -c 5000000 /dev/zero; touch '${done}'`, log)
    await reader.read(new Uint8Array(1))
    await sleep(200)
    expect(existsSync(done)).toBe(false)
    expect((await readAll(reader)).length).toBe(4_999_999)
    await reader.close()
    expect(existsSync(done)).toBe(true)
  })

  it('is ended when closed early, and what was read is not the whole', async () => {
    const survived = join(folder, 'survived')
    const reader = new CommandReader(`echo begin; sleep 0.3; touch '${survived}'`, log)
    await reader.read(new Uint8Array(100))
    expect(await reader.close()).toBe('changed')
    await sleep(500)
    expect(existsSync(survived)).toBe(false)
  })

  it('is killed when it does not end by itself', async () => {
    const hasty: Patience = { killAfterMs: 100, messagesMs: 100 }
    const reader = new CommandReader('trap "" TERM; echo begin; while :; do sleep 0.05; done', log, hasty)
    await reader.read(new Uint8Array(100))
    const start = performance.now()
    expect(await reader.close()).toBe('changed')
    expect(performance.now() - start).toBeLessThan(3000)
  })

  it('does not wait for what it leaves running in the background', async () => {
    const reader = new CommandReader('echo all; sleep 20 >/dev/null &', log, { killAfterMs: 100, messagesMs: 100 })
    expect(await readAll(reader)).toBe('all\n')
    expect(await reader.close()).toBe('stable')
  }, 5000)
})
