import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bkp, bkpJson } from '../support/run-bkp.js'
import { noise } from '../support/torture-tree.js'

const work = mkdtempSync(join(tmpdir(), 'bkp-crash-'))
const source = join(work, 'source')
const repository = join(work, 'repository')
/** Half of them hit backups, half restores. `BKP_KILLS` sets the number. */
const kills = Number(process.env.BKP_KILLS ?? 100)

function writeSource(generation: number): void {
  for (let folder = 0; folder < 8; folder++) {
    mkdirSync(join(source, `folder-${folder}`), { recursive: true })
    for (let file = 0; file < 40; file++) {
      writeFileSync(
        join(source, `folder-${folder}`, `small-${file}`),
        noise(5000, generation * 1000 + folder * 40 + file + 1),
      )
    }
    writeFileSync(join(source, `folder-${folder}`, 'large'), noise(2_000_000, generation * 10 + folder + 7))
  }
}

/** Runs a command and kills it after a while; tells whether it was still running. */
function killed(args: readonly string[], afterMs: number): Promise<boolean> {
  return bkp(args, {
    onStart: (child) => {
      const timer = setTimeout(() => child.kill('SIGKILL'), afterMs)
      child.on('exit', () => clearTimeout(timer))
    },
  }).then(({ code }) => code === null)
}

/** Moments spread over the run, the same ones in every run of this test. */
function moment(n: number, count: number, longestMs: number): number {
  return Math.floor(((n + 0.5) / count) * longestMs)
}

describe(`a process killed at ${kills} moments`, () => {
  beforeAll(async () => {
    writeSource(0)
    await bkpJson(['init', '--to', repository])
    await bkpJson(['backup', source, '--to', repository])
  })
  afterAll(() => rmSync(work, { recursive: true, force: true }))

  it('leaves, when it was a backup, only snapshots that check and restore in full', async () => {
    const count = Math.ceil(kills / 2)
    let hits = 0
    for (let n = 0; n < count; n++) {
      writeSource(n + 1)
      if (await killed(['backup', source, '--to', repository], moment(n, count, 900))) hits++
      if (n % 10 === 9)
        expect(await bkpJson(['check', '--from', repository, '--read-data'])).toMatchObject({ damages: [] })
    }
    expect(hits).toBeGreaterThan(count / 4)
    const { snapshots } = (await bkpJson(['snapshots', '--from', repository])) as unknown as {
      snapshots: { id: string }[]
    }
    for (const { id } of snapshots.slice(-5)) {
      const ran = await bkp(['restore', id, '--from', repository, '--target', join(work, 'each', id), '--verify'])
      expect(ran.code).toBe(0)
    }
  })

  it('is made up for by the next run, which uses what was stored and leaves no temporary files', async () => {
    const { stats } = await bkpJson(['backup', source, '--to', repository])
    expect(stats).toMatchObject({ errors: 0 })
    expect(readdirSync(join(repository, '@tmp'))).toEqual([])
    expect(readdirSync(join(repository, 'sessions'))).toEqual([])
    const target = join(work, 'after')
    await bkpJson(['restore', `latest:${source}`, '--from', repository, '--target', target])
    execFileSync('diff', ['-r', source, target])
    const checked = await bkpJson(['check', '--from', repository, '--read-data'])
    expect(checked).toMatchObject({ damages: [] })
  })

  it('leaves, when it was a restore, only whole files, and the next restore completes it', async () => {
    const count = Math.floor(kills / 2)
    const target = join(work, 'restored')
    let hits = 0
    for (let n = 0; n < count; n++) {
      if (
        await killed(['restore', `latest:${source}`, '--from', repository, '--target', target], moment(n, count, 700))
      )
        hits++
    }
    expect(hits).toBeGreaterThan(count / 4)
    await bkpJson(['restore', `latest:${source}`, '--from', repository, '--target', target])
    // No temporary file of a killed run is left: the folders are equal.
    execFileSync('diff', ['-r', source, target])
  })
})
