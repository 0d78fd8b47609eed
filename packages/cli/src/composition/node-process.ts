import type { IdleThread } from '@bkp/core/threads'
import { createBuiltInEngine } from './built-in-engine.js'
import type { ProcessParts } from './process-parts.js'
import { processTerminal } from './terminal.js'

/**
 * The real parts: this process, the built-in plugins, questions on the terminal.
 * @param takeIdleThreads gives threads that wait for the engine
 */
export function nodeProcessParts(takeIdleThreads: () => readonly IdleThread[]): ProcessParts {
  const terminal = processTerminal()
  return {
    terminal,
    createEngine: (log) => createBuiltInEngine(terminal.env, log, takeIdleThreads),
    askSecret: async (question) => {
      const { password } = await import('@inquirer/prompts')
      // On standard error: standard output may be a file or a pipe.
      return password({ message: question, mask: true }, { output: process.stderr })
    },
    now: Date.now,
  }
}
