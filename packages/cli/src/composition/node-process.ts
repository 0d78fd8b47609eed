import { homedir } from 'node:os'
import type { ApprovedPlugins } from '@bkp/core/plugins'
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
 */
export function nodeProcessParts(takeIdleThreads: () => readonly IdleThread[]): ProcessParts {
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
  let approved: Promise<ApprovedPlugins> | undefined
  const installed = (warn: (message: string) => void) => {
    approved ??= installedPlugins(terminal.env, warn)
    return approved
  }
  // Losing a warning because nobody reads is no reason to fail.
  const warn = (message: string) => void terminal.stderr.write(`Warning: ${safe(message)}\n`).catch(() => undefined)
  return {
    terminal,
    createEngine: async (log) =>
      createBuiltInEngine(
        terminal.env,
        log,
        takeIdleThreads,
        terminal.canAsk ? confirm : undefined,
        await installed((message) => log.warn(message)),
      ),
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
    describeNotifiers: async () => builtInNotifiers(await installed(warn)),
    describeStorages: async () => builtInStorages(await installed(warn)),
    createPluginManager: () => createPluginManager(terminal.env),
    editFile: (path) => editInEditor(path, terminal.env),
    machine: { env: terminal.env, platform: process.platform, home: homedir() },
    now: Date.now,
  }
}
