import type { Engine } from '@bkp/core'
import type { Logger } from '@bkp/plugin-api'
import type { Terminal } from './terminal.js'

/** Makes the engine; may take a tenth of a second, so only commands that need it call this. */
export type CreateEngine = (log: Logger) => Promise<Engine>

/** Asks for something that must not be seen on the screen. */
export type AskSecret = (question: string) => Promise<string>

/** What a process gives to its command line. Tests give fakes. */
export interface ProcessParts {
  readonly terminal: Terminal
  readonly createEngine: CreateEngine
  readonly askSecret: AskSecret
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
