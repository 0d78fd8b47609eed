import type { CompletedCommand } from './completion.js'

/** Where nothing of ours fits, `-o default` completes file names. */
export function bashScript(bin: string, commands: readonly CompletedCommand[]): string {
  const values = commands.flatMap(({ id, flags }) =>
    flags
      .filter(({ options }) => options.length > 0)
      .map(({ name, options }) => `    ${id}:--${name}) words="${options.join(' ')}" ;;`),
  )
  const flags = commands.map(
    ({ id, flags: all }) => `    ${id}) words="${all.map(({ name }) => `--${name}`).join(' ')}" ;;`,
  )
  return `_${bin}() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" words=""
  # bash takes --flag=value as three words.
  if [ "$current" = "=" ]; then current=""; elif [ "$previous" = "=" ]; then previous="\${COMP_WORDS[COMP_CWORD-2]}"; fi
  case "\${COMP_WORDS[1]}:$previous" in
${values.join('\n')}
  esac
  if [ "$COMP_CWORD" -eq 1 ]; then
    words="${commands.map(({ id }) => id).join(' ')}"
  elif [ -z "$words" ] && [[ "$current" == -* ]]; then
    case "\${COMP_WORDS[1]}" in
${flags.map((line) => `  ${line}`).join('\n')}
    esac
  fi
  COMPREPLY=()
  if [ -n "$words" ]; then COMPREPLY=($(compgen -W "$words" -- "$current")); fi
}
complete -o default -F _${bin} ${bin}`
}
