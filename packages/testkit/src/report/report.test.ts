import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { reportTable, tellReport, withTable } from './report.js'

const rows = [
  { what: '10 kB', cells: { put: '1.5 MB/s', get: '20 MB/s' } },
  { what: '1 MiB', cells: { put: '90 MB/s', get: '300 MB/s' } },
]
const place = '# Mine\n\n<!-- bkp-testkit: storage x -->\nold\n<!-- /bkp-testkit -->\n\nEnd\n'

afterEach(() => {
  delete process.env.BKP_TESTKIT_REPORT
})

describe('the table of a report', () => {
  it('has a row for each size and says where it was measured', () => {
    const table = reportTable(rows)
    expect(table).toContain('|  | put | get |\n| --- | ---: | ---: |\n| 10 kB | 1.5 MB/s | 20 MB/s |')
    expect(table).toContain(`Node ${process.versions.node}`)
  })

  it('replaces the one that is there, and nothing else', () => {
    const once = withTable(place, 'storage x', 'TABLE')
    expect(once).toBe('# Mine\n\n<!-- bkp-testkit: storage x -->\n\nTABLE\n\n<!-- /bkp-testkit -->\n\nEnd\n')
    expect(withTable(once, 'storage x', 'TABLE')).toBe(once)
  })

  it('says which lines are missing where it has no place', () => {
    expect(() => withTable('# Mine\n', 'storage x', 'TABLE')).toThrow('<!-- bkp-testkit: storage x -->')
  })

  it('goes into the file that the environment names', () => {
    const folder = mkdtempSync(join(tmpdir(), 'bkp-report-'))
    const readme = join(folder, 'README.md')
    writeFileSync(readme, place)
    process.env.BKP_TESTKIT_REPORT = readme
    tellReport('storage x', rows)
    expect(readFileSync(readme, 'utf8')).toContain('| 1 MiB | 90 MB/s | 300 MB/s |')
    rmSync(folder, { recursive: true })
  })
})
