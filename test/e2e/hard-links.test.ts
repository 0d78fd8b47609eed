import { execFileSync } from 'node:child_process'
import { linkSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bkp, bkpJson } from '../support/run-bkp.js'

const work = mkdtempSync(join(tmpdir(), 'bkp-hard-links-'))
const source = join(work, 'source')
const repository = join(work, 'repository')
const pairs = ['file', 'symlink', 'fifo']

afterAll(() => rmSync(work, { recursive: true, force: true }))

function restore(target: string, ...flags: readonly string[]) {
  return bkp(['restore', `latest:${source}`, '--from', repository, '--target', target, '--json', ...flags])
}

describe('hard links', () => {
  beforeAll(async () => {
    mkdirSync(source)
    writeFileSync(join(source, 'file'), 'content')
    symlinkSync('nowhere', join(source, 'symlink'))
    execFileSync('mkfifo', [join(source, 'fifo')])
    for (const name of pairs) linkSync(join(source, name), join(source, `${name}-again`))
    await bkpJson(['init', '--to', repository])
  })

  it('count with their size, whether they are read or not', async () => {
    const first = await bkpJson(['backup', source, '--to', repository])
    expect(first).toHaveProperty('stats.bytes', 2 * 'content'.length)
    const second = await bkpJson(['backup', source, '--to', repository])
    expect(second).toHaveProperty('stats.bytes', 2 * 'content'.length)
  })

  it('come back as links, of whatever kind they are', async () => {
    const target = join(work, 'restored')
    expect(await restore(target)).toMatchObject({ code: 0 })
    for (const name of pairs) {
      expect(lstatSync(join(target, `${name}-again`)).ino).toBe(lstatSync(join(target, name)).ino)
      expect(lstatSync(join(target, name)).nlink).toBe(2)
    }
  })

  it('leave what is in their place alone when nothing may be overwritten', async () => {
    const target = join(work, 'mine')
    mkdirSync(target)
    for (const name of pairs) writeFileSync(join(target, `${name}-again`), 'mine')
    const ran = await restore(target, '--overwrite', 'never')
    expect(ran).toMatchObject({ code: 0 })
    expect(JSON.parse(ran.stdout)).toMatchObject({ files: 1, others: 2, skipped: pairs.length })
    for (const name of pairs) expect(readFileSync(join(target, `${name}-again`), 'utf8')).toBe('mine')
  })
})
