import { homedir } from 'node:os'
import type { Engine } from '@bkp/core'
import type { ReadManifests } from '@bkp/core/plugins'
import type { IdleThread } from '@bkp/core/threads'
import { safe } from '../output/text.js'
import { builtInNotifiers, builtInStorages, createBuiltInEngine } from './built-in-engine.js'
import { editInEditor } from './editor.js'
import { createPluginManager, installedPlugins } from './installed-plugins.js'
import type { ProcessParts } from './process-parts.js'
import { processTerminal } from './terminal.js'

/**
 * The real parts: this process, the built-in plugins, questions on the terminal.
 * @param takeIdleThreads gives threads that wait for the engine
 * @param onEngine hears of every engine that is made
 */
export function nodeProcessParts(
  takeIdleThreads: () => readonly IdleThread[],
  onEngine: (engine: Promise<Engine>) => void,
): ProcessParts {
  const terminal = processTerminal()
  // One question at a time, also where several destinations are opened at once.
  let asking: Promise<unknown> = Promise.resolve()
  const confirm = (message: string): Promise<boolean> => {
    const answer = asking.then(async () => {
      const prompts = await import('@inquirer/prompts')
      return prompts.confirm({ message, default: false }, { output: process.stderr })
    })
    asking = answer.catch(() => undefined)
    return answer
  }
  // Looked at once, and told of once, whether the configuration or the engine asks first.
  let approved: Promise<ReadManifests> | undefined
  const installed = (warn: (message: string) => void) => {
    approved ??= installedPlugins(terminal.env, warn)
    return approved
  }
  // Losing a warning because nobody reads is no reason to fail.
  const told = new Set<string>()
  const warn = (message: string) => {
    if (told.has(message)) return
    told.add(message)
    terminal.stderr.write(`Warning: ${safe(message)}\n`).catch(() => undefined)
  }
  // The engine tells of what it leaves out; of what only the configuration asks for we do.
  const described = async () => {
    const all = await installed(warn)
    for (const { error } of all.faulty) warn([error.message, error.hint].filter(Boolean).join('. '))
    return all
  }
  return {
    terminal,
    createEngine: (log) => {
      const start = async () => {
        const all = await installed((message) => log.warn(message))
        const once = { ...log, warn: (message: string) => (told.has(message) ? undefined : log.warn(message)) }
        return createBuiltInEngine(terminal.env, once, takeIdleThreads, terminal.canAsk ? confirm : undefined, all)
      }
      const engine = start()
      onEngine(engine)
      return engine
    },
    askSecret: async (question) => {
      const { password } = await import('@inquirer/prompts')
      // On standard error: standard output may be a file or a pipe.
      return password({ message: question, mask: true }, { output: process.stderr })
    },
    askText: async (message) => {
      const { input } = await import('@inquirer/prompts')
      return input({ message }, { output: process.stderr })
    },
    confirm,
    describeNotifiers: async () => builtInNotifiers(await described()),
    describeStorages: async () => builtInStorages(await described()),
    createPluginManager: () => createPluginManager(terminal.env),
    editFile: (path) => editInEditor(path, terminal.env),
    machine: { env: terminal.env, platform: process.platform, home: homedir() },
    now: Date.now,
  }
}
