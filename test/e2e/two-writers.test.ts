import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { bkpJson } from '../support/run-bkp.js'
import { noise } from '../support/torture-tree.js'

const work = mkdtempSync(join(tmpdir(), 'bkp-writers-'))
const rounds = 20

describe('two processes that back up into one repository at once', () => {
  afterAll(() => rmSync(work, { recursive: true, force: true }))

  it(`both give snapshots that restore, ${rounds} times over, and share data`, async () => {
    const repository = join(work, 'repository')
    const sources = ['a', 'b'].map((name) => join(work, name))
    await bkpJson(['init', '--to', repository])
    for (const source of sources) {
      mkdirSync(source)
      writeFileSync(join(source, 'common'), noise(3_000_000, 99))
    }
    for (let round = 0; round < rounds; round++) {
      for (const [n, source] of sources.entries())
        writeFileSync(join(source, `own-${round}`), noise(50_000, round * 2 + n + 1))
      const ran = await Promise.all(sources.map((source) => bkpJson(['backup', source, '--to', repository])))
      for (const { snapshot } of ran) expect(snapshot).toMatch(/^[0-9a-f]{64}$/)
    }
    const { snapshots } = (await bkpJson(['snapshots', '--from', repository])) as unknown as { snapshots: unknown[] }
    expect(snapshots).toHaveLength(rounds * 2)
    for (const source of sources) {
      const target = `${source}-restored`
      const { snapshots: own } = (await bkpJson(['snapshots', '--from', repository, '--path', source])) as unknown as {
        snapshots: { id: string }[]
      }
      await bkpJson(['restore', `${own.at(-1)?.id}:${source}`, '--from', repository, '--target', target])
      execFileSync('diff', ['-r', source, target])
    }
    expect(await bkpJson(['check', '--from', repository, '--read-data'])).toMatchObject({
      damages: [],
      snapshots: rounds * 2,
    })
    const { storedBytes } = (await bkpJson(['stats', '--from', repository])) as unknown as { storedBytes: number }
    // Both at once may store the common file once each; after that it is shared.
    expect(storedBytes).toBeLessThan(2 * 3_000_000 + rounds * 2 * 100_000)
  })
})
