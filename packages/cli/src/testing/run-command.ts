import { fileURLToPath } from 'node:url'
import type { StorageDescription } from '@bkp/core/config'
import { Config } from '@oclif/core'
import { COMMANDS } from '../commands.js'
import { type CreatePluginManager, type EditFile, provideProcessParts } from '../composition/process-parts.js'
import { FakeEngine } from './fake-engine.js'
import { FakeTerminal } from './fake-terminal.js'
import { passphrase, testNotifiers, testStorages } from './samples.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
let loaded: Promise<Config> | undefined

export interface RunCommandOptions {
  readonly engine?: FakeEngine
  /** Replaces the environment, which holds the passphrase otherwise. */
  readonly env?: Record<string, string>
  /** Answers to questions; without them there is no terminal. */
  readonly answers?: readonly string[]
  /** Answers to questions of yes or no, true by default. */
  readonly confirms?: readonly boolean[]
  readonly storages?: readonly StorageDescription[]
  readonly editFile?: EditFile
  readonly createPluginManager?: CreatePluginManager
  /** Home folder; without one there is no configuration. */
  readonly home?: string
  readonly prepare?: (terminal: FakeTerminal) => void
}

export interface RanCommand {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
  /** Standard output, line by line, as JSON. */
  readonly json: () => Record<string, unknown>[]
  readonly engine: FakeEngine
  readonly terminal: FakeTerminal
  readonly questions: readonly string[]
}

/** Runs a command in this process, on fakes. */
export async function runCommand(argv: readonly string[], options: RunCommandOptions = {}): Promise<RanCommand> {
  const [id, ...rest] = argv
  const engine = options.engine ?? new FakeEngine()
  const answers = [...(options.answers ?? [])]
  const confirms = [...(options.confirms ?? [])]
  const terminal = new FakeTerminal(options.env ?? { BKP_PASSWORD: passphrase }, options.answers !== undefined)
  const questions: string[] = []
  options.prepare?.(terminal)
  provideProcessParts({
    terminal,
    createEngine: async () => engine,
    askSecret: async (question) => {
      questions.push(question)
      return answers.shift() ?? ''
    },
    askText: async (question) => {
      questions.push(question)
      return answers.shift() ?? ''
    },
    confirm: async (question) => {
      questions.push(question)
      return confirms.shift() ?? true
    },
    describeNotifiers: async () => testNotifiers,
    describeStorages: async () => options.storages ?? testStorages,
    createPluginManager: options.createPluginManager ?? (() => Promise.reject(new Error('No plugins were expected'))),
    editFile: options.editFile ?? (async () => Promise.reject(new Error('No editor was expected'))),
    machine: { env: terminal.env, platform: 'linux', home: options.home ?? '/nonexistent' },
    now: Date.now,
  })
  loaded ??= Config.load({ root, devPlugins: false, userPlugins: false })
  const Command = COMMANDS[id as keyof typeof COMMANDS]
  await Command.run(rest, await loaded)
  const { stdout, stderr } = terminal
  const json = () =>
    stdout.text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
  return {
    exitCode: terminal.exitCode ?? 0,
    stdout: stdout.text,
    stderr: stderr.text,
    json,
    engine,
    terminal,
    questions,
  }
}
