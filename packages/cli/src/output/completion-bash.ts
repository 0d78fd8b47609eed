import { type CompletedCommand, topicsOf } from './completion.js'

/** A command of a topic is completed as two words (`config show`): bash takes a colon for the end of a word. Where nothing of ours fits,
 * `-o default` completes file names. */
export function bashScript(bin: string, commands: readonly CompletedCommand[]): string {
  const values = commands.flatMap(({ id, flags }) =>
    flags
      .filter(({ options }) => options.length > 0)
      .map(({ name, options }) => `    ${id}:--${name}) words="${options.join(' ')}" ;;`),
  )
  const flags = commands.map(
    ({ id, flags: all }) => `    ${id}) words="${all.map(({ name }) => `--${name}`).join(' ')}" ;;`,
  )
  const topics = topicsOf(commands).map(({ topic, words }) => `    ${topic}) topic_words="${words.join(' ')}" ;;`)
  return `_${bin}() {
  local command="\${COMP_WORDS[1]}" topic_words=""
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" words=""
  # bash takes --flag=value as three words.
  if [ "$current" = "=" ]; then current=""; elif [ "$previous" = "=" ]; then previous="\${COMP_WORDS[COMP_CWORD-2]}"; fi
  case "$command" in
${topics.join('\n')}
  esac
  if [ -n "$topic_words" ] && [ "$COMP_CWORD" -gt 2 ]; then command="$command:\${COMP_WORDS[2]}"; fi
  case "$command:$previous" in
${values.join('\n')}
  esac
  if [ "$COMP_CWORD" -eq 1 ]; then
    words="${[...new Set(commands.map(({ id }) => id.split(':')[0]))].join(' ')}"
  elif [ "$COMP_CWORD" -eq 2 ] && [ -n "$topic_words" ]; then
    words="$topic_words"
  elif [ -z "$words" ] && [[ "$current" == -* ]]; then
    case "$command" in
${flags.map((line) => `  ${line}`).join('\n')}
    esac
  fi
  COMPREPLY=()
  if [ -n "$words" ]; then COMPREPLY=($(compgen -W "$words" -- "$current")); fi
}
complete -o default -F _${bin} ${bin}`
}
