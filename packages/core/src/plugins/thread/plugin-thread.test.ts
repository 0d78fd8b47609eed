import { execFileSync } from 'node:child_process'
import { Secret } from '@bkp/plugin-api'
import { afterEach, describe, expect, it } from 'vitest'
import { pluginInThread, quiet, request } from './testing/plugin-in-thread.js'

const opened: { dispose(): Promise<void> }[] = []
afterEach(async () => {
  for (const { dispose } of opened.splice(0)) await dispose()
})

async function started(...given: Parameters<typeof pluginInThread>) {
  const plugin = await pluginInThread(...given)
  opened.push(plugin)
  return plugin
}

const storage = `context.registerStorage('odd', async () => new InMemoryStorage())`

describe('the thread of a plugin', () => {
  it('has options with secrets, asks the user, and logs', async () => {
    const { code, said } = await started(`context.registerStorage('odd', async ({ configuration, confirm, log }) => {
      const { token, hosts: [{ key }] } = configuration
      log.info([String(token), token.reveal(), key.reveal(), await confirm('Sure?'), await confirm('Really?')].join(' '))
      return new InMemoryStorage() })`)
    const configuration = { token: new Secret('one'), hosts: [{ key: new Secret('two') }] }
    const confirm = async (question: string) => question === 'Sure?'
    await code.openStorage('odd', { ...request('odd://', quiet), configuration, confirm })
    expect(said).toEqual(['info [secret] one two true false'])
  })

  it('gives up what waits for a question that was broken off', async () => {
    const { code } = await started(
      `context.registerStorage('odd', async ({ confirm }) => { await confirm('?'); return new InMemoryStorage() })`,
    )
    const confirm = async () => Promise.reject(new Error('Interrupted'))
    const opening = code.openStorage('odd', { ...request('odd://', quiet), confirm })
    await expect(opening).rejects.toThrow('Interrupted')
  })

  it('tells a notifier everything, and why nobody waits any longer', async () => {
    const { code, said } = await started(`context.registerNotifier('odd', ({ configuration, log }) => ({
      async notify({ kind, report }, { signal }) {
        log.info(kind + report.n + configuration.word)
        if (kind === 'failed') await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
      }, async close() { log.info('closed') } }))`)
    const notifier = await code.openNotifier('odd', { configuration: { word: '!' }, log: quiet })
    const about = { command: 'backup', host: 'h', startedAt: '', summary: '', report: { n: 7 } }
    const abort = new AbortController()
    await notifier.notify({ ...about, kind: 'finished' }, { signal: abort.signal })
    const reason = new Error('too long')
    const running = notifier.notify({ ...about, kind: 'failed' }, { signal: abort.signal })
    abort.abort(reason)
    await expect(running).rejects.toBe(reason)
    await notifier.close()
    expect(said).toEqual(['info finished7!', 'info failed7!', 'info closed'])
  })

  it.each([
    ['loops', 'for (;;);', 'it kept its thread to itself for 0.3 s'],
    ['ends its thread', `process.removeAllListeners(); setTimeout(() => { throw new Error('gone') })`, 'gone'],
  ])('that %s ends what waits and what comes, under its name', async (_, code, reason) => {
    const plugin = await started(
      `context.registerStorage('odd', async () => Object.assign(new InMemoryStorage(), { async stat() { ${code} ; await new Promise(() => undefined) } }))`,
      { limitMs: 300 },
    )
    const one = await plugin.code.openStorage('odd', request('odd://', quiet))
    const failure = { code: 'plugin-failed', message: `The plugin bkp-odd failed: ${reason}` }
    await expect(one.stat('a')).rejects.toMatchObject(failure)
    await expect(one.put('a', new Uint8Array(1))).rejects.toMatchObject(failure)
    // With its thread everything of it is gone, and what others have done counts.
    await one.close()
  })

  it('takes work that is slow, but gives its thread back in between', async () => {
    const slow = `const until = performance.now() + 800; while (performance.now() < until) {
      const pause = performance.now() + 150; while (performance.now() < pause); await new Promise((done) => setTimeout(done, 5)) }`
    const plugin = await started(
      `context.registerStorage('odd', async () => Object.assign(new InMemoryStorage(), { async stat(key) { ${slow} return { key, sizeBytes: 1 } } }))`,
      { limitMs: 300 },
    )
    const one = await plugin.code.openStorage('odd', request('odd://', quiet))
    expect(await one.stat('a')).toEqual({ key: 'a', sizeBytes: 1 })
  })

  it('takes secrets out of what its errors say', async () => {
    const plugin = await started(
      `context.registerStorage('odd', async () => { throw new PortError('auth', 'refused: hidden-word', { hint: 'hidden-word' }) })`,
      { hide: (value) => JSON.parse(JSON.stringify(value).replaceAll('hidden-word', '[secret]')) },
    )
    const opening = plugin.code.openStorage('odd', request('odd://', quiet))
    await expect(opening).rejects.toMatchObject({ message: 'refused: [secret]', hint: '[secret]' })
  })

  it('keeps nobody waiting when it is closed', async () => {
    const plugin = await started(
      `context.registerStorage('odd', async () => Object.assign(new InMemoryStorage(), { stat: () => new Promise(() => undefined) }))`,
    )
    const one = await plugin.code.openStorage('odd', request('odd://', quiet))
    const waiting = expect(one.stat('a')).rejects.toThrow('its thread has ended')
    await Promise.all([plugin.thread.close(), plugin.thread.close()])
    await waiting
  })

  it('lets the plugin do what it does when its process ends', async () => {
    const plugin = await started(`${storage}; const { spawn } = await import('node:child_process')
      const child = spawn('sleep', ['60']); process.on('exit', () => child.kill('SIGKILL')); context.log.info(String(child.pid))`)
    const pid = Number(plugin.said[0]?.split(' ')[1])
    expect(isRunning(pid)).toBe(true)
    await plugin.dispose()
    expect(isRunning(pid)).toBe(false)
    await expect(plugin.thread.call('activate', [])).rejects.toThrow('its thread has ended')
  })
})

function isRunning(pid: number): boolean {
  try {
    return !execFileSync('ps', ['-o', 'stat=', '-p', String(pid)])
      .toString()
      .startsWith('Z')
  } catch {
    return false
  }
}
