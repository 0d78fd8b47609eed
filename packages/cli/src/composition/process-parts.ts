import type { Engine } from '@bkp/core'
import type { NotifierDescription, StorageDescription } from '@bkp/core/config'
import type { Machine } from '../config/config-path.js'
import type { PluginManager } from '../plugins/plugin-manager.js'
import type { CommandLog } from './command-log.js'
import type { Terminal } from './terminal.js'

/** Makes the engine; may take a tenth of a second, so only commands that need it call this. */
export type CreateEngine = (log: CommandLog) => Promise<Engine>

/** Asks for something that must not be seen on the screen. */
export type AskSecret = (question: string) => Promise<string>

/** Asks for a line of text; an empty answer is one. */
export type AskText = (question: string) => Promise<string>

/** Asks a question that is answered by yes or no. */
export type Confirm = (question: string) => Promise<boolean>

/** What storages there are and which options they take; reads manifests, runs no code of theirs. */
export type DescribeStorages = () => Promise<readonly StorageDescription[]>

/** As {@link DescribeStorages}. */
export type DescribeNotifiers = () => Promise<readonly NotifierDescription[]>

/** Makes what installs plugins; loads npm only when it does. */
export type CreatePluginManager = () => Promise<PluginManager>

/** Lets the user change a file in the editor of their choice. */
export type EditFile = (path: string) => Promise<void>

/** What a process gives to its command line. Tests give fakes. */
export interface ProcessParts {
  readonly terminal: Terminal
  readonly createEngine: CreateEngine
  readonly askSecret: AskSecret
  readonly askText: AskText
  readonly confirm: Confirm
  readonly describeStorages: DescribeStorages
  readonly describeNotifiers: DescribeNotifiers
  readonly editFile: EditFile
  readonly createPluginManager: CreatePluginManager
  readonly machine: Machine
  /** Milliseconds since 1970. */
  readonly now: () => number
}

let provided: ProcessParts | undefined

/** Called once, before oclif makes a command: it gives us no other way to hand something to commands. */
export function provideProcessParts(parts: ProcessParts): void {
  provided = parts
}

export function processParts(): ProcessParts {
  if (provided === undefined) throw new Error('A command was made before its process parts were provided')
  return provided
}
