import { type CompletedCommand, type CompletedFlag, topicsOf } from './completion.js'

export function zshScript(bin: string, commands: readonly CompletedCommand[]): string {
  const plain = commands.filter(({ id }) => !id.includes(':'))
  const topics = topicsOf(commands)
  const described = [
    ...plain.map(({ id, summary }) => `    ${quote(`${id}:${summary}`)}`),
    ...topics.map(({ topic, words }) => `    ${quote(`${topic}:${words.join(', ')}`)}`),
  ]
  const seconds = topics.map(
    ({ topic, words }) => `    ${topic})
      if (( CURRENT == 2 )); then
        compadd ${words.join(' ')}
        return
      fi
      shift words
      (( CURRENT-- ))
      words[1]="${topic}:$words[1]" ;;`,
  )
  const cases = commands.map(
    ({ id, flags }) => `    ${id}) _arguments ${[...flags.map(argumentOf), "'*:file:_files'"].join(' ')} ;;`,
  )
  return `#compdef ${bin}
_${bin}() {
  local -a commands=(
${described.join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  shift words
  (( CURRENT-- ))
  case "$words[1]" in
${seconds.join('\n')}
  esac
  case "$words[1]" in
${cases.join('\n')}
  esac
}
if [ "$funcstack[1]" = "_${bin}" ]; then _${bin} "$@"; else compdef _${bin} ${bin}; fi`
}

function argumentOf({ name, summary, takesValue, isRepeatable, options }: CompletedFlag): string {
  const what = summary.replace(/[\\[\]:]/g, '\\$&')
  const value = options.length > 0 ? `:value:(${options.join(' ')})` : ':value:_files'
  return quote(`${isRepeatable ? '*' : ''}--${name}${takesValue ? '=' : ''}[${what}]${takesValue ? value : ''}`)
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
