import type { CompletedCommand } from './completion.js'

export function fishScript(bin: string, commands: readonly CompletedCommand[]): string {
  const lines = commands.flatMap(({ id, summary, flags }) => [
    `complete -c ${bin} -n __fish_use_subcommand -f -a ${id} -d ${quote(summary)}`,
    ...flags.map(({ name, summary: what, takesValue, options }) => {
      const values = options.length > 0 ? ` -f -a ${quote(options.join(' '))}` : ''
      const argument = takesValue ? ' -r' : ''
      return `complete -c ${bin} -n '__fish_seen_subcommand_from ${id}' -l ${name}${argument}${values} -d ${quote(what)}`
    }),
  ])
  return lines.join('\n')
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
