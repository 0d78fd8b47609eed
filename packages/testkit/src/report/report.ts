import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { arch, cpus } from 'node:os'

/** One line of the table that an author puts into a README. */
export interface ReportRow {
  /** What was worked on, e.g. `1 MiB of text`. */
  readonly what: string
  /** Cells by the name of their column, e.g. `{ compress: '42 MB/s' }`; the same columns in every row. */
  readonly cells: Readonly<Record<string, string>>
}

/** Whether a report is wanted: `BKP_TESTKIT_REPORT` is `1`, or the path of a Markdown file that has a place for it. */
export function wantsReport(): boolean {
  return (process.env.BKP_TESTKIT_REPORT ?? '') !== ''
}

/** The table in Markdown, with a line on the machine: figures without it say nothing. */
export function reportTable(rows: readonly ReportRow[]): string {
  const columns = Object.keys(rows[0]?.cells ?? {})
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [
    line(['', ...columns]),
    line(['---', ...columns.map(() => '---:')]),
    ...rows.map(({ what, cells }) => line([what, ...columns.map((column) => cells[column] ?? '')])),
    '',
    `Node ${process.versions.node}, ${process.platform} ${arch()}, ${cpus()[0]?.model.trim() ?? 'unknown processor'}. Memory is how much the process grew meanwhile.`,
  ].join('\n')
}

/**
 * Prints the table, or puts it into the file that `BKP_TESTKIT_REPORT` names, between
 * `<!-- bkp-testkit: TITLE -->` and `<!-- /bkp-testkit -->`.
 */
export function tellReport(title: string, rows: readonly ReportRow[]): void {
  const table = reportTable(rows)
  const wanted = process.env.BKP_TESTKIT_REPORT ?? ''
  if (!wanted.endsWith('.md')) {
    console.info(`${title}\n\n${table}\n`)
    return
  }
  const text = existsSync(wanted) ? readFileSync(wanted, 'utf8') : ''
  writeFileSync(wanted, withTable(text, title, table))
}

/** @throws Error when the text has no place for the table of this title */
export function withTable(text: string, title: string, table: string): string {
  const [begin, end] = [`<!-- bkp-testkit: ${title} -->`, '<!-- /bkp-testkit -->']
  const from = text.indexOf(begin)
  const to = text.indexOf(end, from)
  if (from < 0 || to < 0) throw new Error(`There is no place for the table; write these two lines:\n${begin}\n${end}`)
  return `${text.slice(0, from + begin.length)}\n\n${table}\n\n${text.slice(to)}`
}

/** Megabytes (10^6) a second, as people read them. */
export function speedText(megabytesPerSecond: number): string {
  return `${megabytesPerSecond.toFixed(megabytesPerSecond < 10 ? 1 : 0)} MB/s`
}

/** Runs `action` and tells by how many bytes the process grew: its own memory and what it keeps outside of the heap. */
export async function growthDuring(action: () => void | Promise<void>): Promise<number> {
  const before = process.memoryUsage().rss
  await action()
  return Math.max(0, process.memoryUsage().rss - before)
}

/** Mebibytes, rounded. */
export function memoryText(bytes: number): string {
  return `${Math.round(bytes / 1_048_576)} MiB`
}
