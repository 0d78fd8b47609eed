import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bkp, bkpJson } from '../support/run-bkp.js'

const work = mkdtempSync(join(tmpdir(), 'bkp-deep-folders-'))
const source = join(work, 'source')
const repository = join(work, 'repository')
const target = join(work, 'target')
const levels = 1000

// Node's own rm cannot delete paths above PATH_MAX.
afterAll(() => execFileSync('rm', ['-rf', work]))

/** Every entry below a folder, the folder itself left out. */
function inventoryOf(folder: string): string {
  const listed = execFileSync('find', ['.', '-mindepth', '1', '-printf', '%d %f %y %m %T@\\n'], {
    cwd: folder,
    encoding: 'utf8',
  })
  return listed.split('\n').sort().join('\n')
}

describe(`folders ${levels} deep`, () => {
  beforeAll(async () => {
    mkdirSync(source)
    writeFileSync(join(source, 'beside'), 'beside')
    await bkpJson(['init', '--to', repository])
    await bkpJson(['backup', source, '--to', repository])
    // Step by step, in a process that may change its folder: no call takes such a path.
    const script = `for (let n = 0; n < ${levels}; n++) { fs.mkdirSync('deep'); process.chdir('deep'); fs.writeFileSync('file', String(n)) }`
    execFileSync(process.execPath, ['-e', script], { cwd: source })
    await bkpJson(['backup', source, '--to', repository])
  })

  it('come back as they were, in bounded time', async () => {
    const started = performance.now()
    await bkpJson(['restore', `latest:${source}`, '--from', repository, '--target', target])
    expect(performance.now() - started).toBeLessThan(15_000)
    expect(inventoryOf(target)).toBe(inventoryOf(source))
  })

  it('are removed whole by a restore that deletes what the snapshot does not have', async () => {
    const { snapshots } = (await bkpJson(['snapshots', '--from', repository])) as unknown as {
      snapshots: { id: string }[]
    }
    const before = `${snapshots[0]?.id}:${source}`
    const ran = await bkp(['restore', before, '--from', repository, '--target', target, '--delete'])
    expect(ran).toMatchObject({ code: 0, stderr: '' })
    expect(execFileSync('ls', [target], { encoding: 'utf8' })).toBe('beside\n')
  })
})
