import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Logger } from '@bkp/plugin-api'
import { PluginThread } from '../plugin-thread.js'
import { ThreadedCode } from '../threaded-code.js'

const packages = new URL('../../../../../', import.meta.url)
const imports = `import { definePlugin, PortError } from '${new URL('plugin-api/dist/bundle/index.js', packages)}'
import { InMemoryStorage } from '${new URL('testkit/dist/fakes/in-memory-storage.js', packages)}'
`

/** A plugin, written into a folder of its own, and its thread; `dispose` ends both. */
export async function pluginInThread(
  activate: string,
  {
    limitMs = 60_000,
    hide = <T>(value: T) => value,
  }: { readonly limitMs?: number; readonly hide?: <T>(value: T) => T } = {},
) {
  const directory = mkdtempSync(join(tmpdir(), 'bkp-thread-'))
  const code = `${imports}export default definePlugin({ async activate(context) { ${activate} } })`
  writeFileSync(join(directory, 'index.mjs'), code)
  const said: string[] = []
  const log: Logger = {
    debug: (text) => said.push(`debug ${text}`),
    info: (text) => said.push(`info ${text}`),
    warn: (text) => said.push(`warn ${text}`),
  }
  const contributes = {
    ...(code.includes('registerStorage') ? { storage: [{ id: 'odd', schemes: ['odd'] }] } : {}),
    ...(code.includes('registerNotifier') ? { notifier: [{ id: 'odd' }] } : {}),
  }
  const manifest = { api: '^1.0.0', displayName: 'Odd', contributes }
  const plugin = { directory, packageName: 'bkp-odd', version: '1.0.0', main: 'index.mjs', manifest }
  const thread = new PluginThread(plugin, { log, hide, limitMs })
  const dispose = async () => {
    await thread.close()
    rmSync(directory, { recursive: true, force: true })
  }
  try {
    return { thread, said, dispose, code: await ThreadedCode.activate(thread) }
  } catch (error) {
    await dispose()
    throw error
  }
}

/** What a storage is opened with. */
export const request = (url: string, log: Logger) => ({ url, configuration: {}, intent: 'open' as const, log })

export const quiet: Logger = { debug: () => undefined, info: () => undefined, warn: () => undefined }
