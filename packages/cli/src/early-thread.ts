import { readFileSync } from 'node:fs'
import type { IdleThread } from '@bkp/core/threads'

/** Commands whose work is done in threads. */
const working = ['backup', 'restore', 'check', 'copy']
/** What a thread of theirs loads first, nearly always. */
const likelyPlugins = ['@bkp/source-fs', '@bkp/codec-zstd', '@bkp/cipher-aes-gcm']

/**
 * Starts a thread for a command that is going to need one, before the command line is loaded: they load side by side.
 * @returns undefined when the command will not need it
 */
export async function startEarlyThread(argv: readonly string[]): Promise<IdleThread | undefined> {
  if (!working.includes(argv[0] ?? '') || argv.some((arg) => arg === '--help' || arg === '-h')) return undefined
  const threads = await import('@bkp/core/threads')
  // Before it compiles anything. Restores and checks run the same code for longer.
  if (argv[0] === 'backup') threads.compileLess()
  return new threads.IdleThread(likelyPlugins.flatMap(workerModules))
}

function workerModules(name: string): string[] {
  const manifest = import.meta.resolve(`${name}/package.json`)
  const { bkp } = JSON.parse(readFileSync(new URL(manifest), 'utf8')) as {
    bkp: { contributes: Readonly<Record<string, readonly { readonly module?: string }[]>> }
  }
  const contributions = Object.values(bkp.contributes).flat()
  return contributions.flatMap(({ module }) => (module === undefined ? [] : [new URL(module, manifest).href]))
}
