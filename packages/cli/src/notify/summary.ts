import { stripVTControlCharacters } from 'node:util'
import { safe } from '../output/text.js'

const mostLines = 20
const mostIssues = 10

/** A few lines for people: what is amiss first, then what the command would print. */
export function summaryOf(lines: readonly string[], report: Readonly<Record<string, unknown>> | undefined): string {
  const printed = lines.flatMap((line) => stripVTControlCharacters(line).split('\n')).filter((line) => line !== '')
  const issues = issuesOf(report)
  const shown = [
    ...issues.slice(0, mostIssues),
    ...(issues.length > mostIssues ? [`and ${issues.length - mostIssues} more, see the report`] : []),
    ...printed.slice(0, mostLines),
    ...(printed.length > mostLines ? [`and ${printed.length - mostLines} more lines, see the report`] : []),
  ]
  return shown.join('\n')
}

/** What could not be read, of a backup or restore. */
function issuesOf(report: Readonly<Record<string, unknown>> | undefined): string[] {
  const issues = report?.issues
  if (!Array.isArray(issues)) return []
  return issues.map(({ path, message }: { path: string; message: string }) => `${safe(path)}: ${safe(message)}`)
}
