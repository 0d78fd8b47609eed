import { execFileSync } from 'node:child_process'
import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ownsMachine } from '../support/machine.js'
import { bkp, bkpJson } from '../support/run-bkp.js'

let work: string
let documents: string
let repository: string

beforeEach(async () => {
  work = mkdtempSync(join(tmpdir(), 'bkp-modes-'))
  documents = join(work, 'home/documents')
  repository = join(work, 'repository')
  mkdirSync(join(documents, 'letters'), { recursive: true })
  writeFileSync(join(documents, 'a.txt'), 'a of the backup')
  writeFileSync(join(documents, 'letters/b.txt'), 'b of the backup')
  writeFileSync(join(work, 'home/neighbour.txt'), 'never backed up')
  await bkpJson(['init', '--to', repository])
  await bkpJson(['backup', documents, '--to', repository])
})
afterEach(() => rmSync(work, { recursive: true }))

const restore = (...args: string[]) => bkpJson(['restore', ...args, '--from', repository])

describe('restore --delete', () => {
  it('removes what is superfluous in restored folders', async () => {
    writeFileSync(join(documents, 'letters/new.txt'), 'new')
    const { deleted } = await restore(`latest:${documents}`, '--target', documents, '--delete')
    expect(deleted).toBe(1)
    expect(readdirSync(join(documents, 'letters'))).toEqual(['b.txt'])
  })

  it.runIf(ownsMachine)('never touches what lies beside the folder that was backed up', async () => {
    writeFileSync(join(documents, 'new.txt'), 'new')
    const { deleted } = await restore('latest', '--target', '/', '--delete')
    expect(deleted).toBe(1)
    expect(readFileSync(join(work, 'home/neighbour.txt'), 'utf8')).toBe('never backed up')
    expect(existsSync(repository)).toBe(true)
    expect((await restore(`latest:${join(work, 'home')}`, '--target', join(work, 'home'), '--delete')).deleted).toBe(0)
    expect(existsSync(join(work, 'home/neighbour.txt'))).toBe(true)
  })

  it('tells with --dry-run what it would remove, and removes nothing', async () => {
    writeFileSync(join(documents, 'new.txt'), 'new')
    writeFileSync(join(documents, 'a.txt'), 'changed')
    const result = await restore(`latest:${documents}`, '--target', documents, '--delete', '--dry-run')
    expect(result).toMatchObject({ deleted: 1, files: 2 })
    expect(readFileSync(join(documents, 'a.txt'), 'utf8')).toBe('changed')
    expect(existsSync(join(documents, 'new.txt'))).toBe(true)
    await restore('latest', '--target', join(work, 'nowhere'), '--delete', '--dry-run')
    expect(existsSync(join(work, 'nowhere'))).toBe(false)
  })

  it('leaves alone what --include does not name', async () => {
    writeFileSync(join(documents, 'new.txt'), 'new')
    writeFileSync(join(documents, 'new.log'), 'new')
    await restore(`latest:${documents}`, '--target', documents, '--delete', '--include', '*.txt')
    expect(readdirSync(documents).sort()).toEqual(['a.txt', 'letters', 'new.log'])
  })
})

describe('what is in the way', () => {
  it('a folder that is not empty stays, is reported, and goes with --delete', async () => {
    rmSync(join(documents, 'a.txt'))
    mkdirSync(join(documents, 'a.txt'))
    writeFileSync(join(documents, 'a.txt/precious'), 'precious')
    const { code, stderr, stdout } = await bkp([
      ...['restore', `latest:${documents}`, '--from', repository, '--target', documents],
    ])
    expect(code).toBe(3)
    expect(stdout + stderr).toContain('/a.txt')
    expect(readFileSync(join(documents, 'a.txt/precious'), 'utf8')).toBe('precious')
    await restore(`latest:${documents}`, '--target', documents, '--delete')
    expect(readFileSync(join(documents, 'a.txt'), 'utf8')).toBe('a of the backup')
  })

  it('an empty folder gives way to a file, and a file to a folder', async () => {
    rmSync(join(documents, 'a.txt'))
    mkdirSync(join(documents, 'a.txt'))
    rmSync(join(documents, 'letters'), { recursive: true })
    writeFileSync(join(documents, 'letters'), 'a file')
    await restore(`latest:${documents}`, '--target', documents)
    expect(readFileSync(join(documents, 'a.txt'), 'utf8')).toBe('a of the backup')
    expect(readFileSync(join(documents, 'letters/b.txt'), 'utf8')).toBe('b of the backup')
  })

  it('nothing gives way with --overwrite never', async () => {
    writeFileSync(join(documents, 'a.txt'), 'mine')
    rmSync(join(documents, 'letters'), { recursive: true })
    writeFileSync(join(documents, 'letters'), 'mine too')
    expect(await restore(`latest:${documents}`, '--target', documents, '--overwrite', 'never')).toMatchObject({
      files: 0,
      skipped: 3,
    })
    expect(readFileSync(join(documents, 'a.txt'), 'utf8')).toBe('mine')
    expect(readFileSync(join(documents, 'letters'), 'utf8')).toBe('mine too')
  })

  it('a single file obeys the modes as a folder does', async () => {
    const single = [`latest:${documents}/a.txt`, '--target', documents, '--overwrite']
    expect(await restore(...single, 'if-changed')).toMatchObject({ files: 0, skipped: 1 })
    writeFileSync(join(documents, 'a.txt'), 'mine')
    expect(await restore(...single, 'never')).toMatchObject({ files: 0, skipped: 1 })
    expect(readFileSync(join(documents, 'a.txt'), 'utf8')).toBe('mine')
    expect(await restore(...single, 'if-changed')).toMatchObject({ files: 1, skipped: 0 })
    expect(readFileSync(join(documents, 'a.txt'), 'utf8')).toBe('a of the backup')
    expect(readdirSync(documents).sort()).toEqual(['a.txt', 'letters'])
  })

  it('with --overwrite if-changed only what differs is written', async () => {
    writeFileSync(join(documents, 'a.txt'), 'changed')
    const before = statSync(join(documents, 'letters/b.txt'), { bigint: true })
    expect(await restore(`latest:${documents}`, '--target', documents, '--overwrite', 'if-changed')).toMatchObject({
      files: 1,
      skipped: 1,
    })
    expect(readFileSync(join(documents, 'a.txt'), 'utf8')).toBe('a of the backup')
    expect(statSync(join(documents, 'letters/b.txt'), { bigint: true }).ino).toBe(before.ino)
  })
})

describe('hard links', () => {
  const inode = (name: string) => statSync(join(documents, name)).ino

  beforeEach(async () => {
    linkSync(join(documents, 'a.txt'), join(documents, 'same.txt'))
    await bkpJson(['backup', documents, '--to', repository])
  })

  it('are never made to a file that was left because it is another', async () => {
    rmSync(join(documents, 'same.txt'))
    rmSync(join(documents, 'a.txt'))
    writeFileSync(join(documents, 'a.txt'), 'mine')
    await restore(`latest:${documents}`, '--target', documents, '--overwrite', 'never')
    expect(readFileSync(join(documents, 'a.txt'), 'utf8')).toBe('mine')
    expect(readFileSync(join(documents, 'same.txt'), 'utf8')).toBe('a of the backup')
  })

  it('never replace a file with --overwrite never', async () => {
    rmSync(join(documents, 'same.txt'))
    writeFileSync(join(documents, 'same.txt'), 'mine')
    await restore(`latest:${documents}`, '--target', documents, '--overwrite', 'never')
    expect(readFileSync(join(documents, 'same.txt'), 'utf8')).toBe('mine')
  })

  it('are made again when a copy has taken the place of one', async () => {
    rmSync(join(documents, 'same.txt'))
    writeFileSync(join(documents, 'same.txt'), 'a copy')
    await restore(`latest:${documents}`, '--target', documents, '--overwrite', 'if-changed')
    expect(inode('same.txt')).toBe(inode('a.txt'))
    expect(readFileSync(join(documents, 'same.txt'), 'utf8')).toBe('a of the backup')
  })
})

describe.runIf(ownsMachine)('a folder with a default ACL', () => {
  it('lets nobody into what is restored below it whom the original kept out', async () => {
    const target = join(work, 'target')
    mkdirSync(join(target, 'letters'), { recursive: true })
    execFileSync('setfacl', ['-d', '-m', 'u:nobody:rwx', target])
    execFileSync('setfacl', ['-m', 'u:nobody:rwx', join(target, 'letters')])
    execFileSync('setfattr', ['-n', 'user.old', '-v', '1', join(target, 'letters')])
    await restore(`latest:${documents}`, '--target', target)
    expect(execFileSync('getfacl', ['-Rsp', target], { encoding: 'utf8' })).toBe('')
    expect(execFileSync('getfattr', ['-Rd', target], { encoding: 'utf8' })).toBe('')
  })
})
