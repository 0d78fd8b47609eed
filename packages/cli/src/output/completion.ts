import { bashScript } from './completion-bash.js'
import { fishScript } from './completion-fish.js'
import { zshScript } from './completion-zsh.js'

export const shells = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof shells)[number]

/** A command as completion needs it. */
export interface CompletedCommand {
  readonly id: string
  readonly summary: string
  readonly flags: readonly CompletedFlag[]
}

export interface CompletedFlag {
  readonly name: string
  readonly summary: string
  readonly takesValue: boolean
  readonly isRepeatable: boolean
  /** The only values there are; empty when any text will do. */
  readonly options: readonly string[]
}

const scripts = { bash: bashScript, zsh: zshScript, fish: fishScript }

/** A script that completes commands, flags, their fixed values, and file names everywhere else. */
export function completionScript(shell: Shell, bin: string, commands: readonly CompletedCommand[]): string {
  return scripts[shell](bin, commands)
}
