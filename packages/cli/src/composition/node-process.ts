import { createBuiltInEngine } from './built-in-engine.js'
import type { ProcessParts } from './process-parts.js'
import { processTerminal } from './terminal.js'

/** The real parts: this process, the built-in plugins, questions on the terminal. */
export function nodeProcessParts(): ProcessParts {
  const terminal = processTerminal()
  return {
    terminal,
    createEngine: (log) => createBuiltInEngine(terminal.env, log),
    askSecret: async (question) => {
      const { password } = await import('@inquirer/prompts')
      // On standard error: standard output may be a file or a pipe.
      return password({ message: question, mask: true }, { output: process.stderr })
    },
    now: Date.now,
  }
}
