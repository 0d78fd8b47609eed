import { type CompletedCommand, topicsOf } from './completion.js'

export function fishScript(bin: string, commands: readonly CompletedCommand[]): string {
  const topics = topicsOf(commands).map(({ topic }) => `complete -c ${bin} -n __fish_use_subcommand -f -a ${topic}`)
  const lines = commands.flatMap(({ id, summary, flags }) => [
    entryOf(bin, id, summary),
    ...flags.map(({ name, summary: what, takesValue, options }) => {
      const values = options.length > 0 ? ` -f -a ${quote(options.join(' '))}` : ''
      const argument = takesValue ? ' -r' : ''
      return `complete -c ${bin} -n '${seen(id)}' -l ${name}${argument}${values} -d ${quote(what)}`
    }),
  ])
  return [...topics, ...lines].join('\n')
}

function entryOf(bin: string, id: string, summary: string): string {
  const [first = '', second] = id.split(':')
  const condition = second === undefined ? '__fish_use_subcommand' : quote(`__fish_seen_subcommand_from ${first}`)
  return `complete -c ${bin} -n ${condition} -f -a ${second ?? first} -d ${quote(summary)}`
}

function seen(id: string): string {
  return id
    .split(':')
    .map((word) => `__fish_seen_subcommand_from ${word}`)
    .join('; and ')
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
