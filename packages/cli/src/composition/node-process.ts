import { homedir } from 'node:os'
import type { Engine } from '@bkp/core'
import type { IdleThread } from '@bkp/core/threads'
import { builtInNotifiers, builtInStorages, createBuiltInEngine } from './built-in-engine.js'
import { editInEditor } from './editor.js'
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
  return {
    terminal,
    createEngine: (log) => {
      const engine = createBuiltInEngine(terminal.env, log, takeIdleThreads, terminal.canAsk ? confirm : undefined)
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
    describeStorages: builtInStorages,
    describeNotifiers: builtInNotifiers,
    editFile: (path) => editInEditor(path, terminal.env),
    machine: { env: terminal.env, platform: process.platform, home: homedir() },
    now: Date.now,
  }
}
