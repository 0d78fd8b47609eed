import { type ChildProcess, execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { ownsMachine } from '../support/machine.js'
import { mountBound, mountMemory, resizeMemory, unmountAll } from '../support/mounts.js'
import { expectNoBreakdown } from '../support/outcomes.js'
import { bkp, bkpJson } from '../support/run-bkp.js'

const work = mkdtempSync(join(tmpdir(), 'bkp-failing-'))
const source = join(work, 'source')
const files = 10
const fileBytes = 5_000_000
/** One thread fills two packs of 16 MiB at a time: half of the source is stored before its end. */
const oneThread = { env: { BKP_WORKERS: '1' } }

beforeAll(() => {
  mkdirSync(source)
  for (let n = 0; n < files; n++) writeFileSync(join(source, `file-${n}`), randomBytes(fileBytes))
})
afterEach(unmountAll)
afterAll(() => rmSync(work, { recursive: true, force: true }))

const filesIn = (folder: string): string[] =>
  existsSync(folder)
    ? execFileSync('find', [folder, '-type', 'f'], { encoding: 'utf8' }).split('\n').filter(Boolean)
    : []

async function expectSound(repository: string): Promise<void> {
  const { damages } = await bkpJson(['check', '--from', repository, '--read-data'])
  expect(damages).toEqual([])
}

/** The next backup is whole, and does not store again what the failed one had stored. */
async function expectMadeUpFor(repository: string): Promise<void> {
  expect(filesIn(join(repository, 'packs')).length).toBeGreaterThan(0)
  const { stats } = (await bkpJson(['backup', source, '--to', repository], oneThread)) as unknown as {
    stats: { errors: number; bytes: number; newBytes: number }
  }
  expect(stats).toMatchObject({ errors: 0, bytes: files * fileBytes })
  expect(stats.newBytes).toBeLessThan(files * fileBytes - 10_000_000)
  await expectSound(repository)
  expect(readdirSync(join(repository, '@tmp'))).toEqual([])
  expect(readdirSync(join(repository, 'sessions'))).toEqual([])
  const target = join(work, `restored-${randomBytes(4).toString('hex')}`)
  await bkpJson(['restore', `latest:${source}`, '--from', repository, '--target', target])
  execFileSync('diff', ['-r', source, target])
}

/** Runs a backup, and does something about it once packs are stored that count: where the disk is slow, a small last one may come first. */
async function backupUntil(repository: string, act: (child: ChildProcess | undefined) => void) {
  await bkpJson(['init', '--to', repository])
  let child: ChildProcess | undefined
  let isOver = false
  const onStart = (started: ChildProcess) => {
    child = started
  }
  const backup = bkp(['backup', source, '--to', repository], { ...oneThread, onStart }).finally(() => {
    isOver = true
  })
  const storedBytes = () => filesIn(join(repository, 'packs')).reduce((sum, path) => sum + statSync(path).size, 0)
  while (!isOver && storedBytes() < 12_000_000) await setTimeout(5)
  act(child)
  return backup
}

describe.runIf(ownsMachine)('a disk that is full', () => {
  it('under the repository: nothing is damaged, and the next backup goes on from there', async () => {
    const disk = join(work, 'small-disk')
    mountMemory(disk, 40)
    const repository = join(disk, 'repository')
    await bkpJson(['init', '--to', repository])
    const ran = await bkp(['backup', source, '--to', repository], oneThread)
    expectNoBreakdown(ran)
    expect(ran).toMatchObject({ code: 1, stderr: expect.stringMatching(/ENOSPC[\s\S]*Free space on the disk/) })
    expect(readdirSync(join(repository, '@tmp'))).toEqual([])
    expect(filesIn(join(repository, 'snapshots'))).toEqual([])
    resizeMemory(disk, 120)
    await expectSound(repository)
    await expectMadeUpFor(repository)
  })

  it('under the target: only whole files are there, and the next restore completes it', async () => {
    const repository = join(work, 'for-restores')
    await bkpJson(['init', '--to', repository])
    await bkpJson(['backup', source, '--to', repository])
    const target = join(work, 'small-target')
    mountMemory(target, 22)
    const restore = ['restore', `latest:${source}`, '--from', repository, '--target', target]
    const ran = await bkp(restore)
    expectNoBreakdown(ran)
    expect(ran).toMatchObject({ code: 1, stderr: expect.stringMatching(/ENOSPC[\s\S]*Free space on the target/) })
    for (const name of readdirSync(target))
      expect(readFileSync(join(target, name)).equals(readFileSync(join(source, name)))).toBe(true)
    resizeMemory(target, 120)
    await bkpJson(restore)
    execFileSync('diff', ['-r', source, target])
  })

  it('for temporary files is of no importance: nothing is put there', async () => {
    const repository = join(work, 'no-temporary')
    const full = join(work, 'full')
    mountMemory(full, 1)
    expect(() => writeFileSync(join(full, 'filler'), Buffer.alloc(2_000_000))).toThrow('ENOSPC')
    const env = { TMPDIR: full, TMP: full, TEMP: full }
    await bkpJson(['init', '--to', repository], { env })
    await bkpJson(['backup', join(source, 'file-0'), '--to', repository], { env })
    await bkpJson(['restore', 'latest', '--from', repository, '--target', join(work, 'no-temporary-target')], { env })
    await bkpJson(['check', '--from', repository, '--read-data'], { env })
    expect(readdirSync(full)).toEqual(['filler'])
  })
})

describe.runIf(ownsMachine)('what is mounted read-only', () => {
  it('as repository takes no backup, and gives back what it has', async () => {
    const repository = join(work, 'for-restores')
    const before = filesIn(repository)
    mountBound(repository, repository, 'ro')
    const ran = await bkp(['backup', source, '--to', repository])
    expectNoBreakdown(ran)
    expect(ran).toMatchObject({ code: 1, stderr: expect.stringMatching(/EROFS[\s\S]*mount it writable/) })
    await expectSound(repository)
    const target = join(work, 'from-read-only')
    await bkpJson(['restore', `latest:${source}`, '--from', repository, '--target', target])
    execFileSync('diff', ['-r', source, target])
    expect(filesIn(repository)).toEqual(before)
  })

  it('as target is refused at once, with what to do', async () => {
    const target = join(work, 'read-only-target')
    mkdirSync(target)
    mountBound(target, target, 'ro')
    const ran = await bkp(['restore', `latest:${source}`, '--from', join(work, 'for-restores'), '--target', target])
    expectNoBreakdown(ran)
    expect(ran).toMatchObject({ code: 1, stderr: expect.stringMatching(/EROFS[\s\S]*mount it writable/) })
    expect(readdirSync(target)).toEqual([])
  })

  it('by chattr +i: a repository says who may not write', async () => {
    const repository = join(work, 'immutable')
    await bkpJson(['init', '--to', repository])
    execFileSync('chattr', ['-R', '+i', repository])
    try {
      const ran = await bkp(['backup', join(source, 'file-0'), '--to', repository])
      expectNoBreakdown(ran)
      expect(ran).toMatchObject({ code: 1, stderr: expect.stringMatching(/EPERM[\s\S]*permissions of the repository/) })
      await expectSound(repository)
    } finally {
      execFileSync('chattr', ['-R', '-i', repository])
    }
  })
})

describe.runIf(ownsMachine)('a repository folder that goes away while a backup runs', () => {
  it('is not made again, and nothing is damaged when it is back', async () => {
    const repository = join(work, 'moved')
    const ran = await backupUntil(repository, () => renameSync(repository, `${repository}-away`))
    expectNoBreakdown(ran)
    expect(ran).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/There is no folder[\s\S]*the disk is mounted/),
    })
    expect(existsSync(repository)).toBe(false)
    renameSync(`${repository}-away`, repository)
    await expectSound(repository)
    await expectMadeUpFor(repository)
  })

  it('is reported when it is deleted, and no snapshot is said to be made', async () => {
    const repository = join(work, 'deleted')
    const ran = await backupUntil(repository, (child) => {
      // Stopped meanwhile: what is written into a folder that is being deleted can keep it from that.
      child?.kill('SIGSTOP')
      rmSync(repository, { recursive: true })
      child?.kill('SIGCONT')
    })
    expectNoBreakdown(ran)
    expect(ran).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/There is no folder[\s\S]*the disk is mounted/),
    })
    expect(ran.stdout).not.toContain('Snapshot')
    expect(existsSync(repository)).toBe(false)
    expect((await bkp(['snapshots', '--from', repository])).code).toBe(10)
  })
})

describe.runIf(ownsMachine)('a backup that is interrupted by Ctrl-C', () => {
  it('is gone on with by the next one', async () => {
    const repository = join(work, 'interrupted')
    const ran = await backupUntil(repository, (child) => child?.kill('SIGINT'))
    expectNoBreakdown(ran)
    expect(ran).toMatchObject({ code: 130, stderr: expect.stringContaining('it goes on from there') })
    expect(readdirSync(join(repository, '@tmp'))).toEqual([])
    await expectMadeUpFor(repository)
  })
})
