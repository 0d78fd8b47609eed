import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  appendFileSync,
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ownsMachine } from '../support/machine.js'
import { expectNoBreakdown, type RestoreReport, reportOf } from '../support/outcomes.js'
import { bkp, bkpJson, type Ran } from '../support/run-bkp.js'

const work = mkdtempSync(join(tmpdir(), 'bkp-changing-'))
// Root without its leave to read everything: another user could not even run bkp out of a checkout of root's.
const powerless = ['setpriv', '--bounding-set', '-dac_override,-dac_read_search', '--inh-caps', '-all']
const otherUser = 65_534

interface BackupReport {
  readonly snapshotId: string
  readonly stats: { readonly files: number; readonly errors: number }
  readonly issues: RestoreReport['issues']
}

afterAll(() => rmSync(work, { recursive: true, force: true }))

describe.runIf(ownsMachine)('what an unprivileged user may not read', () => {
  const source = join(work, 'private')
  const repository = join(work, 'of-the-powerless')
  let report: BackupReport

  beforeAll(async () => {
    mkdirSync(join(source, 'closed-folder'), { recursive: true })
    mkdirSync(join(source, 'unsearchable'))
    writeFileSync(join(source, 'closed-folder', 'inside'), 'x')
    writeFileSync(join(source, 'unsearchable', 'inside'), 'x')
    writeFileSync(join(source, 'secret'), 'of another')
    writeFileSync(join(source, 'open'), 'for all')
    chmodSync(join(source, 'secret'), 0o600)
    chmodSync(join(source, 'closed-folder'), 0o700)
    chmodSync(join(source, 'unsearchable'), 0o744)
    for (const name of ['secret', 'closed-folder', 'unsearchable']) chownSync(join(source, name), otherUser, otherUser)
    await bkpJson(['init', '--to', repository], { through: powerless })
    report = reportOf(await bkp(['backup', source, '--to', repository, '--json'], { through: powerless }), 3)
  })

  it('is recorded and reported, one issue each, with the reason', () => {
    const named = report.issues.map(({ kind, path }) => [kind, path.slice(source.length)]).sort()
    expect(named).toEqual([
      ['unreadable', '/closed-folder'],
      ['unreadable', '/secret'],
      ['unreadable', '/unsearchable/inside'],
    ])
    for (const { message } of report.issues) expect(message).toContain('EACCES')
    expect(report.stats.errors).toBe(3)
  })

  it('is said again by ls, snapshots and restore', async () => {
    const ls = await bkp(['ls', 'latest', source, '--recursive', '--json', '--from', repository], {
      through: powerless,
    })
    const listed = ls.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { path: string; error?: string })
    const failed = listed.filter(({ error }) => error !== undefined).map(({ path }) => path.slice(source.length))
    expect(failed.sort()).toEqual(['/closed-folder', '/secret', '/unsearchable/inside'])
    const { snapshots } = (await bkpJson(['snapshots', '--from', repository], { through: powerless })) as unknown as {
      snapshots: { issueCount: number }[]
    }
    expect(snapshots).toMatchObject([{ issueCount: 3 }])

    const target = join(work, 'target-of-the-powerful')
    const restored = await bkp(['restore', `latest:${source}`, '--from', repository, '--target', target, '--json'])
    const { issues } = reportOf<RestoreReport>(restored, 3)
    const again = issues.filter(({ message }) => message.includes('not backed up')).map(({ path }) => path)
    expect(again.sort()).toEqual(['/closed-folder', '/secret', '/unsearchable/inside'])
    expect(readdirSync(target).sort()).toEqual(['closed-folder', 'open', 'unsearchable'])
  })

  it('is saved by the next run that may read it', async () => {
    const { stats, issues } = (await bkpJson(['backup', source, '--to', repository])) as unknown as BackupReport
    expect({ errors: stats.errors, issues }).toEqual({ errors: 0, issues: [] })
    const target = join(work, 'target-whole')
    await bkpJson(['restore', `latest:${source}`, '--from', repository, '--target', target])
    execFileSync('diff', ['-r', source, target])
  })
})

describe.runIf(ownsMachine)('files that change while they are read', () => {
  const source = join(work, 'busy')
  const repository = join(work, 'of-busy')
  const large = 10_000_000
  const place = (name: string) => join(source, name)
  let report: BackupReport
  let restored: Ran
  let target: string

  beforeAll(async () => {
    mkdirSync(join(source, 'zz-folder'), { recursive: true })
    // One thread reads in order of names: what comes behind `aa-first` changes while that is read.
    writeFileSync(place('aa-first'), randomBytes(large))
    for (const name of ['grows', 'shrinks']) writeFileSync(place(name), randomBytes(large))
    for (const name of ['becomes-link', 'becomes-folder', 'is-replaced', 'vanishes', 'zz-folder/inside'])
      writeFileSync(place(name), name)
    writeFileSync(place('zz-unchanged'), 'the same')
    await bkpJson(['init', '--to', repository])
    let isOver = false
    let pid = 0
    const backup = bkp(['backup', source, '--to', repository, '--json', '--compression-level', '19'], {
      env: { BKP_WORKERS: '1' },
      onStart: (child) => {
        pid = child.pid ?? 0
      },
    }).finally(() => {
      isOver = true
    })
    await firstRead(pid, place('aa-first'), () => isOver)
    rmSync(place('vanishes'))
    rmSync(place('becomes-link'))
    symlinkSync('/etc/passwd', place('becomes-link'))
    rmSync(place('becomes-folder'))
    mkdirSync(place('becomes-folder'))
    writeFileSync(place('new'), 'replacement')
    renameSync(place('new'), place('is-replaced'))
    rmSync(place('zz-folder'), { recursive: true })
    truncateSync(place('shrinks'), 1000)
    while (!isOver) {
      appendFileSync(place('grows'), 'more')
      await setImmediate()
    }
    report = reportOf(await backup, 3)
    target = join(work, 'busy-target')
    restored = await bkp(['restore', `latest:${source}`, '--from', repository, '--target', target])
  })

  it('are each reported by what happened to them', () => {
    const kinds = Object.fromEntries(report.issues.map(({ kind, path }) => [path.slice(source.length + 1), kind]))
    expect(kinds).toMatchObject({
      grows: 'changed',
      shrinks: 'changed',
      vanishes: 'vanished',
      'becomes-folder': 'vanished',
      'becomes-link': 'unreadable',
      'is-replaced': 'vanished',
    })
    // The folder may have been listed before it went, which is while the repository was opened.
    expect(kinds['zz-folder'] ?? kinds['zz-folder/inside']).toBe('vanished')
    expect(Object.keys(kinds)).not.toContain('zz-unchanged')
    expect(report.stats.errors).toBe(report.issues.length)
  })

  it('are named again by the restore, as far as they are in the snapshot', () => {
    expectNoBreakdown(restored)
    expect(restored.code).toBe(3)
    expect(restored.stderr).toMatch(/becomes-link: its content was not backed up: .*ELOOP/)
    for (const name of ['grows', 'shrinks'])
      expect(restored.stderr).toContain(`/${name}: it changed while it was backed up`)
    expect(restored.stderr).not.toContain('zz-unchanged')
  })

  it('come back as what was read of them, and never as anything else', () => {
    const names = readdirSync(target).filter((name) => name !== 'zz-folder')
    expect(names.sort()).toEqual(['aa-first', 'grows', 'shrinks', 'zz-unchanged'])
    expect(readFileSync(join(target, 'aa-first')).equals(readFileSync(place('aa-first')))).toBe(true)
    const grown = readFileSync(join(target, 'grows'))
    expect(grown.length).toBeGreaterThanOrEqual(large)
    expect(readFileSync(place('grows')).subarray(0, grown.length).equals(grown)).toBe(true)
    expect(readFileSync(join(target, 'shrinks')).equals(readFileSync(place('shrinks')))).toBe(true)
  })

  it('are read again by the next run, which finds them at rest', async () => {
    const { stats, issues } = (await bkpJson(['backup', source, '--to', repository])) as unknown as BackupReport
    expect({ errors: stats.errors, issues }).toEqual({ errors: 0, issues: [] })
    const whole = join(work, 'busy-whole')
    await bkpJson(['restore', `latest:${source}`, '--from', repository, '--target', whole])
    execFileSync('diff', ['-r', '--no-dereference', source, whole])
    expect(await bkpJson(['check', '--from', repository, '--read-data'])).toMatchObject({ damages: [] })
  })
})

/** Waits until a process has a file open. */
async function firstRead(pid: number, path: string, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    if (holds(`/proc/${pid}/fd`, path)) return
    await setImmediate()
  }
  throw new Error(`${path} was never seen open`)
}

function holds(descriptors: string, path: string): boolean {
  try {
    return readdirSync(descriptors).some((name) => readlinkSync(join(descriptors, name)) === path)
  } catch (error) {
    // The process ended meanwhile, or closed a file.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}
