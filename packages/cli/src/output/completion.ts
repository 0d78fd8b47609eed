export const shells = ['bash', 'zsh', 'fish'] as const

/** A command as completion needs it. */
export interface CompletedCommand {
  readonly id: string
  readonly summary: string
  readonly flags: readonly {
    readonly name: string
    readonly takesValue: boolean
    readonly options: readonly string[]
  }[]
}

/** A script that completes commands, flags and their fixed values. */
export function completionScript(
  shell: (typeof shells)[number],
  bin: string,
  commands: readonly CompletedCommand[],
): string {
  if (shell === 'fish') return fish(bin, commands)
  const script = bash(bin, commands)
  // zsh runs bash completion through its own emulation.
  return shell === 'bash' ? script : `#compdef ${bin}\nautoload -U +X bashcompinit && bashcompinit\n${script}`
}

function bash(bin: string, commands: readonly CompletedCommand[]): string {
  const cases = commands.map(
    ({ id, flags }) => `    ${id}) words="${flags.map(({ name }) => `--${name}`).join(' ')}" ;;`,
  )
  const values = commands.flatMap(({ id, flags }) =>
    flags
      .filter(({ options }) => options.length > 0)
      .map(
        ({ name, options }) =>
          `    ${id}:--${name}) COMPREPLY=($(compgen -W "${options.join(' ')}" -- "$current")); return ;;`,
      ),
  )
  return [
    `_${bin}() {`,
    '  local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD-1]}" words=""',
    '  if [ "$COMP_CWORD" -eq 1 ]; then',
    `    COMPREPLY=($(compgen -W "${commands.map(({ id }) => id).join(' ')}" -- "$current")); return`,
    '  fi',
    '  case "${COMP_WORDS[1]}:$previous" in',
    ...values,
    '  esac',
    '  case "${COMP_WORDS[1]}" in',
    ...cases,
    '  esac',
    '  if [[ "$current" == -* ]]; then COMPREPLY=($(compgen -W "$words" -- "$current")); else COMPREPLY=($(compgen -f -- "$current")); fi',
    '}',
    `complete -o filenames -F _${bin} ${bin}`,
  ].join('\n')
}

function fish(bin: string, commands: readonly CompletedCommand[]): string {
  const quote = (text: string) => `'${text.replace(/\\/g, '\\\\').replace(/'/g, "\\'")}'`
  return commands
    .flatMap(({ id, summary, flags }) => [
      `complete -c ${bin} -n __fish_use_subcommand -a ${id} -d ${quote(summary)}`,
      ...flags.map(({ name, takesValue, options }) => {
        const values = options.length > 0 ? ` -a ${quote(options.join(' '))}` : ''
        return `complete -c ${bin} -n '__fish_seen_subcommand_from ${id}' -l ${name}${takesValue ? ' -r' : ''}${values}`
      }),
    ])
    .join('\n')
}
