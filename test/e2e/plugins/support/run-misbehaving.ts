import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import { noise } from '../../../support/torture-tree.js'

const program = fileURLToPath(new URL('../misbehaving/run.mjs', import.meta.url))

export interface Ran {
  readonly code: number | null
  readonly outcome: Record<string, unknown>
  readonly stdout: string
  readonly stderr: string
}

/** Runs of the engine with the plugin that does everything wrong; each test of the file has a repository of its own. */
export function misbehavingRuns() {
  let root: string
  let work: string
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'bkp-containment-'))
  })
  beforeEach(() => {
    work = mkdtempSync(join(root, 'run-'))
    mkdirSync(join(work, 'source'))
    writeFileSync(join(work, 'source', 'file'), noise(200_000, 1))
  })
  afterEach(() => rmSync(work, { recursive: true, force: true }))
  afterAll(() => rmSync(root, { recursive: true, force: true }))
  const repository = () => join(work, 'repository')

  /** In a process of its own, which must end by itself. @param flags of Node */
  const run = (options: object, flags: readonly string[] = []): Promise<Ran> =>
    new Promise((resolve) => {
      const given = JSON.stringify({ work, places: [{ name: 'good', url: repository() }], ...options })
      execFile(process.execPath, [...flags, program, given], { timeout: 60_000 }, (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : null
        resolve({ code, outcome: parsed(stdout), stdout, stderr })
      })
    })
  return { run, repository }
}

function parsed(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch {
    return { unreadable: text }
  }
}
