import { execFileSync } from 'node:child_process'
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  asTarget,
  bothPassphrases,
  type CopyReport,
  copyOf,
  expectSound,
  makeTarget,
  objectsOf,
  packsOf,
  snapshotsOf,
  targetPassphrase,
} from '../support/copies.js'
import { ownsMachine } from '../support/machine.js'
import { bkp, bkpJson } from '../support/run-bkp.js'
import { makeTortureTree, noise } from '../support/torture-tree.js'

const work = mkdtempSync(join(tmpdir(), 'bkp-copy-'))

// Node's own rm cannot delete paths above PATH_MAX.
afterAll(() => execFileSync('rm', ['-rf', work]))

describe.runIf(ownsMachine)('a copied torture tree', () => {
  const source = join(work, 'torture')
  const from = join(work, 'torture-a')
  let to: string

  /** What rsync would have to change to make the copy equal; nothing for a faithful copy. */
  function differences(target: string): string {
    // rsync knows no path above PATH_MAX: that part is compared by find, which walks step by step.
    const args = [
      '-aHAXni',
      '--checksum',
      '--delete',
      '--modify-window=-1',
      '--exclude=/deep',
      `${source}/`,
      `${target}/`,
    ]
    const list = (cwd: string) =>
      execFileSync('find', ['deep', '-printf', '%d %y %m %s %T@ %U:%G %f\\n'], { cwd, encoding: 'utf8' })
    expect(list(source)).toContain('bottom')
    return (
      execFileSync('rsync', args, { encoding: 'utf8' }) + (list(source) === list(target) ? '' : 'the deep path differs')
    )
  }

  beforeAll(async () => {
    const { missing } = makeTortureTree(source)
    for (const what of missing) console.warn(`not part of the torture tree here: ${what}`)
    await bkpJson(['init', '--to', from])
    await bkpJson(['backup', source, '--to', from, '--compression', 'zstd', '--tag', 'torture'])
    to = await makeTarget(join(work, 'torture-b'))
  })

  it('comes back from a repository with another key, cipher and compression: rsync finds nothing to change', async () => {
    const flags = ['--cipher', 'xchacha20-poly1305', '--compression', 'deflate']
    const { snapshots, destinations } = await copyOf(['--from', from, '--to', to, ...flags])
    expect(snapshots).toMatchObject([{ state: 'copied', faults: [] }])
    expect(destinations).toMatchObject([{ state: 'complete' }])
    const target = join(work, 'torture-restored')
    await bkpJson(['restore', `latest:${source}`, '--from', to, '--target', target, '--verify'], asTarget)
    expect(differences(target)).toBe('')
    await expectSound(to)
    for (const pack of packsOf(to)) {
      const header = readFileSync(join(to, pack.split(' ')[0] as string)).subarray(0, 64)
      expect(header.toString('latin1')).toContain('xchacha20-poly1305')
    }
  })

  it('is listed entry by entry as in the source, its snapshot with all that was noted', async () => {
    const list = async (repository: string, options = {}) =>
      (await bkp(['ls', 'latest', '-R', '--from', repository, '--json'], options)).stdout
    expect(await list(to, asTarget)).toBe(await list(from))
    const [[original], [copied]] = [await snapshotsOf(from), await snapshotsOf(to, asTarget)]
    expect(copied).toEqual({ ...original, id: copied?.id })
    expect(copied?.id).not.toBe(original?.id)
  })

  it('is not copied twice', async () => {
    const before = objectsOf(to)
    const { snapshots, stats } = await copyOf(['--from', from, '--to', to])
    expect(snapshots).toMatchObject([{ state: 'present', target: (await snapshotsOf(to, asTarget))[0]?.id }])
    expect(stats).toMatchObject({ blobsRead: 0, storedBytes: 0 })
    expect(objectsOf(to)).toEqual(before)
  })

  it('is the parent of a backup into the target, which reads nothing that is as it was', async () => {
    const { stats, parent } = await bkpJson(['backup', source, '--to', to], asTarget)
    expect(parent).toBe((await snapshotsOf(to, asTarget))[0]?.id)
    expect(stats).toMatchObject({ errors: 0, filesNew: 0, filesChanged: 0 })
    // The folders above the source have other times now.
    expect(stats).toHaveProperty(
      'newBytes',
      expect.toSatisfy((bytes: number) => bytes < 5000),
    )
    await expectSound(to)
  })
})

describe('copies of several snapshots', () => {
  const source = join(work, 'several')
  const from = join(work, 'several-a')
  let to: string

  beforeAll(async () => {
    mkdirSync(join(source, 'below'), { recursive: true })
    writeFileSync(join(source, 'large'), noise(6_000_000, 1))
    for (let n = 0; n < 30; n++) writeFileSync(join(source, 'below', `small-${n}`), noise(4000, n + 10))
    await bkpJson(['init', '--to', from])
    await bkpJson(['backup', source, '--to', from])
    appendFileSync(join(source, 'below', 'small-3'), 'more')
    await bkpJson(['backup', source, '--to', from])
    to = await makeTarget(join(work, 'several-b'))
  })

  it('keep order and parents, and share what they have in common', async () => {
    const { snapshots } = await copyOf(['--from', from, '--to', to])
    expect(snapshots.map(({ state }) => state)).toEqual(['copied', 'copied'])
    const [originals, copied] = [await snapshotsOf(from), await snapshotsOf(to, asTarget)]
    expect(copied.map(({ time }) => time)).toEqual(originals.map(({ time }) => time))
    expect(copied[0]?.parent).toBeNull()
    expect(copied[1]?.parent).toBe(copied[0]?.id)
    const stats = await bkpJson(['stats', '--from', to], asTarget)
    expect(stats).toMatchObject({ blobs: (await bkpJson(['stats', '--from', from])).blobs })
    await expectSound(to)
  })

  it('add only what is new later, and read nothing else', async () => {
    writeFileSync(join(source, 'below', 'new'), noise(50_000, 99))
    await bkpJson(['backup', source, '--to', from])
    const before = packsOf(to)
    const dry = await copyOf(['--from', from, '--to', to, '--dry-run'])
    expect(dry.snapshots.map(({ state }) => state)).toEqual(['present', 'present', 'planned'])
    expect(packsOf(to)).toEqual(before)
    const { snapshots, stats } = await copyOf(['--from', from, '--to', to])
    expect(snapshots.map(({ state }) => state)).toEqual(['present', 'present', 'copied'])
    // The new file, and the trees above it.
    expect(stats.newBytes).toBeLessThan(80_000)
    expect(stats.blobsRead).toBeLessThan(12)
    expect(dry.stats.blobsRead).toBe(stats.blobsRead)
    const copied = await snapshotsOf(to, asTarget)
    expect(copied[2]?.parent).toBe(copied[1]?.id)
    const target = join(work, 'several-restored')
    await bkpJson(['restore', `latest:${source}`, '--from', to, '--target', target], asTarget)
    execFileSync('diff', ['-r', source, target])
  })

  it('are made by name and by filter, and a parent that is not there is none', async () => {
    const few = await makeTarget(join(work, 'several-few'))
    expect((await copyOf(['--from', from, '--to', few, '--host', 'nobody'])).snapshots).toEqual([])
    const { snapshots } = await copyOf(['latest', '--from', from, '--to', few])
    expect(snapshots).toMatchObject([{ state: 'copied' }])
    const copied = await snapshotsOf(few, asTarget)
    expect(copied).toMatchObject([{ parent: null }])
    await expectSound(few)
  })

  it('come back to where they came from as what is there already', async () => {
    const ran = await bkp(['copy', '--from', to, '--to', from, '--json'], {
      env: { BKP_PASSWORD: targetPassphrase, BKP_TO_PASSWORD: 'correct horse battery staple' },
    })
    expect(ran.code).toBe(0)
    const { snapshots } = JSON.parse(ran.stdout) as CopyReport
    expect(snapshots.map(({ state }) => state)).toEqual(['present', 'present', 'present'])
  })

  it('into the same repository are refused, and so is a wrong passphrase', async () => {
    const same = await bkp(['copy', '--from', from, '--to', from], {
      env: { BKP_TO_PASSWORD: 'correct horse battery staple' },
    })
    expect(same).toMatchObject({ code: 2 })
    expect(same.stderr).toContain('bkp sync')
    const wrong = await bkp(['copy', '--from', from, '--to', to], { env: { BKP_TO_PASSWORD: 'wrong' } })
    expect(wrong.code).toBe(12)
  })

  it('show no passphrase to the programs that give them', async () => {
    const seen = join(work, 'seen')
    const tell = (secret: string) => `env >> ${seen}; printf '${secret}'`
    const flags = ['--password-command', tell('correct horse battery staple'), '--dry-run', '--from', from, '--to', to]
    expect((await bkp(['copy', ...flags], bothPassphrases)).code).toBe(0)
    const environment = readFileSync(seen, 'utf8')
    expect(environment).toContain('PATH=')
    expect(environment).not.toMatch(/horse/)
  })

  it('go to several destinations of the target, also what one of them missed', async () => {
    const [one, two] = [join(work, 'replica-1'), join(work, 'replica-2')]
    await bkpJson(['init', '--to', one], asTarget)
    cpSync(one, two, { recursive: true })
    await copyOf(['--from', from, '--to', one, await firstIdOf(from)])
    const { destinations, snapshots } = await copyOf(['--from', from, '--to', one, '--to', two])
    expect(snapshots.map(({ state }) => state)).toEqual(['present', 'copied', 'copied'])
    expect(destinations).toMatchObject([{ state: 'complete' }, { state: 'complete' }])
    expect(objectsOf(two).filter((object) => !object.startsWith('@'))).toEqual(
      objectsOf(one).filter((object) => !object.startsWith('@')),
    )
    rmSync(two, { recursive: true })
    writeFileSync(join(source, 'below', 'last'), 'x')
    await bkpJson(['backup', source, '--to', from])
    const lagging = await copyOf(['--from', from, '--to', one, '--to', two], 4)
    expect(lagging.destinations.map(({ state }) => state).sort()).toEqual(['complete', 'lagging'])
  })

  async function firstIdOf(repository: string): Promise<string> {
    return (await snapshotsOf(repository))[0]?.id as string
  }
})
