/** A table without lines, which a narrow terminal and `grep` can bear. Cells must be `safe` already. */
export async function table(head: readonly string[], rows: readonly (readonly string[])[]): Promise<string> {
  const { default: Table } = await import('cli-table3')
  const none = [
    'top',
    'top-mid',
    'top-left',
    'top-right',
    'bottom',
    'bottom-mid',
    'bottom-left',
    'bottom-right',
  ] as const
  const more = ['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid'] as const
  const chars = { ...Object.fromEntries([...none, ...more].map((name) => [name, ''])), middle: '  ' }
  const style = { head: [], border: [], 'padding-left': 0, 'padding-right': 0 }
  const made = new Table({ ...(head.length === 0 ? {} : { head: [...head] }), chars, style })
  // The library breaks the line after a row that is shorter than its head.
  const width = Math.max(head.length, ...rows.map(({ length }) => length))
  made.push(...rows.map((row) => [...row, ...new Array<string>(width - row.length).fill('')]))
  return made
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
}
