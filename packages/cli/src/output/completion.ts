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

/** The first words of commands of two words, each with its second words. */
export function topicsOf(
  commands: readonly CompletedCommand[],
): readonly { readonly topic: string; readonly words: readonly string[] }[] {
  const parts = commands.map(({ id }) => id.split(':')).filter(({ length }) => length === 2) as [string, string][]
  const topics = [...new Set(parts.map(([topic]) => topic))]
  return topics.map((topic) => ({ topic, words: parts.filter(([own]) => own === topic).map(([, word]) => word) }))
}

const scripts = { bash: bashScript, zsh: zshScript, fish: fishScript }

/** A script that completes commands, flags, their fixed values, and file names everywhere else. */
export function completionScript(shell: Shell, bin: string, commands: readonly CompletedCommand[]): string {
  return scripts[shell](bin, commands)
}
