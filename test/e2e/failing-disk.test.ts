import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { ownsMachine } from '../support/machine.js'
import { mountBound, mountImage, mountMemory, unmount, unmountAll } from '../support/mounts.js'
import { type CheckReport, expectNoBreakdown, type RestoreReport, reportOf } from '../support/outcomes.js'
import { bkp, bkpJson } from '../support/run-bkp.js'

const work = mkdtempSync(join(tmpdir(), 'bkp-failing-disk-'))
const source = join(work, 'source')
const image = join(work, 'image')
const disk = join(work, 'disk')
const repository = join(disk, 'repository')

beforeAll(() => {
  mkdirSync(source)
  writeFileSync(join(source, 'large'), randomBytes(12_000_000))
  writeFileSync(join(source, 'empty'), '')
  makeDisk(image)
})
afterEach(unmountAll)
afterAll(() => rmSync(work, { recursive: true, force: true }))

function makeDisk(path: string): void {
  writeFileSync(path, '')
  truncateSync(path, 96 * 1024 * 1024)
  execFileSync('mkfs.ext4', ['-q', '-O', '^has_journal', '-E', 'lazy_itable_init=0', path])
}

/** Where the first byte of a file lies on its disk. */
function firstByteOf(path: string): number {
  const listed = execFileSync('filefrag', ['-v', '-b4096', path], { encoding: 'utf8' })
  const [, block] = /^\s*0:\s+\d+\.\.\s*\d+:\s+(\d+)\.\./m.exec(listed) ?? []
  return Number(block) * 4096
}

/** Whole files below a folder, the largest first. */
function filesBelow(folder: string): string[] {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name))
  return paths.filter((path) => statSync(path).isFile()).sort((a, b) => statSync(b).size - statSync(a).size)
}

describe.runIf(ownsMachine)('a disk with sectors that cannot be read', () => {
  it('under the repository: what does not lie there is restored, and check names what does', async () => {
    mountImage(image, disk)
    await bkpJson(['init', '--to', repository])
    await bkpJson(['backup', source, '--to', repository])
    unmount(disk)
    mountImage(image, disk, 'ro')
    const [victim, ...others] = filesBelow(repository) as [string, ...string[]]
    // What was read stays in memory, so only the largest pack is lost with the end of the image.
    for (const path of others) readFileSync(path)
    truncateSync(image, firstByteOf(victim))
    expect(() => readFileSync(victim)).toThrow('EIO')

    const target = join(work, 'restored')
    const restored = await bkp(['restore', `latest:${source}`, '--from', repository, '--target', target, '--json'])
    expect(reportOf<RestoreReport>(restored, 13).issues).toMatchObject([
      { kind: 'damaged', path: '/large', message: expect.stringContaining('EIO') },
    ])
    expect(readdirSync(target)).toEqual(['empty'])
    const checked = await bkp(['check', '--from', repository, '--read-data', '--json'])
    // What else lies behind the end of the image may be gone from memory too.
    const { damages } = reportOf<CheckReport>(checked, 13)
    expect(damages.map(({ key }) => key)).toContain(victim.slice(repository.length + 1))
    for (const { message } of damages) expect(message).toContain('EIO')
  })

  it('under the target: --fsync tells that what was written has not arrived', async () => {
    const healthy = join(work, 'for-fsync')
    await bkpJson(['init', '--to', healthy])
    await bkpJson(['backup', source, '--to', healthy])
    // A disk that says it is larger than it is: what the system accepts has nowhere to go in the end.
    const medium = join(work, 'medium')
    mountMemory(medium, 6)
    const liar = join(medium, 'image')
    makeDisk(liar)
    mountImage(liar, disk)
    const restore = ['restore', `latest:${source}`, '--from', healthy, '--target', join(disk, 'restored'), '--fsync']
    const ran = await bkp(restore)
    expectNoBreakdown(ran)
    expect(ran).toMatchObject({ code: 1, stderr: expect.stringMatching(/cannot be made durable: (ENOSPC|EIO)/) })
  })

  it('under the source: that file is recorded as unreadable, the rest is saved', async () => {
    const unreadable = join(source, 'bad-sectors')
    const healthy = join(work, 'healthy')
    writeFileSync(unreadable, '')
    // The memory of a process reads as a file, and its first page as an input/output error.
    mountBound(`/proc/${process.pid}/mem`, unreadable)
    await bkpJson(['init', '--to', healthy])
    const ran = await bkp(['backup', source, '--to', healthy])
    expectNoBreakdown(ran)
    expect(ran).toMatchObject({ code: 3, stderr: expect.stringMatching(/unreadable: .*\/bad-sectors.*EIO/) })
    const target = join(work, 'without-bad-sectors')
    const restored = await bkp(['restore', `latest:${source}`, '--from', healthy, '--target', target])
    expect(restored).toMatchObject({ code: 3, stderr: expect.stringMatching(/bad-sectors.*not backed up.*EIO/) })
    expect(existsSync(join(target, 'bad-sectors'))).toBe(false)
    expect(readFileSync(join(target, 'large')).equals(readFileSync(join(source, 'large')))).toBe(true)
  })
})
