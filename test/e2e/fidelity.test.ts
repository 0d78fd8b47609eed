import { execFileSync } from 'node:child_process'
import { mkdtempSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ownsMachine } from '../support/machine.js'
import { bkp, bkpJson } from '../support/run-bkp.js'
import { makeTortureTree } from '../support/torture-tree.js'

const work = mkdtempSync(join(tmpdir(), 'bkp-fidelity-'))
const source = join(work, 'source')
const repository = join(work, 'repository')

/** What rsync would have to change to make the copy equal; nothing for a faithful copy. */
function differences(from: string, to: string): string {
  // rsync knows no path above PATH_MAX: that part is compared by find, which walks step by step.
  const args = ['-aHAXni', '--checksum', '--delete', '--modify-window=-1', '--exclude=/deep', `${from}/`, `${to}/`]
  return (
    execFileSync('rsync', args, { encoding: 'utf8' }) + (listDeep(from) === listDeep(to) ? '' : 'the deep path differs')
  )
}

function listDeep(root: string): string {
  const listed = execFileSync('find', ['deep', '-printf', '%d %y %m %s %T@ %U:%G %f\\n'], {
    cwd: root,
    encoding: 'utf8',
  })
  if (!listed.includes('bottom')) throw new Error(`${root} has no deep path to compare`)
  return listed
}

describe.runIf(ownsMachine)('a torture tree', () => {
  beforeAll(async () => {
    const { missing } = makeTortureTree(source)
    for (const what of missing) console.warn(`not part of the torture tree here: ${what}`)
    await bkpJson(['init', '--to', repository])
  })
  // Node's own rm cannot delete paths above PATH_MAX.
  afterAll(() => execFileSync('rm', ['-rf', work]))

  it('comes back as it was: rsync finds nothing to change', async () => {
    const { stats } = await bkpJson(['backup', source, '--to', repository])
    expect(stats).toMatchObject({ errors: 0 })
    const target = join(work, 'restored')
    await bkpJson(['restore', `latest:${source}`, '--from', repository, '--target', target, '--verify'])
    expect(differences(source, target)).toBe('')
  })

  it('keeps holes as holes', () => {
    const path = ['sparse', 'middle']
    const restored = statSync(join(work, 'restored', ...path))
    expect(restored.size).toBe(50_000_000)
    expect(restored.blocks).toBeLessThanOrEqual(statSync(join(source, ...path)).blocks + 16)
  })

  it('is not read again when nothing changed, and shares all data', async () => {
    const { stats } = await bkpJson(['backup', source, '--to', repository])
    expect(stats).toMatchObject({ filesNew: 0, filesChanged: 0 })
    // The folders above the source have other times now, since the repository lies there too.
    expect(stats).toHaveProperty(
      'newBytes',
      expect.toSatisfy((bytes: number) => bytes < 5000),
    )
  })

  it('comes back over an older state, superfluous entries deleted', async () => {
    const target = join(work, 'restored')
    execFileSync('sh', [
      '-c',
      'cd "$1" && rm -r names && echo other > files/one && mkdir extra && echo x > extra/y && ln -sfn /etc links/self',
      'sh',
      target,
    ])
    await bkpJson(['restore', `latest:${source}`, '--from', repository, '--target', target, '--delete'])
    expect(differences(source, target)).toBe('')
  })

  it('comes back by the portable lane too, which says what it cannot keep', async () => {
    const target = join(work, 'portable')
    const ran = await bkp(['restore', `latest:${source}/files`, '--from', repository, '--target', target], {
      env: { BKP_NO_KOFFI: '1' },
    })
    expect(ran.code).toBe(0)
    execFileSync('diff', ['-r', join(source, 'files'), target])
  })

  it('is sound down to the last byte', async () => {
    const checked = await bkpJson(['check', '--from', repository, '--read-data'])
    expect(checked).toMatchObject({ damages: [] })
  })
})
