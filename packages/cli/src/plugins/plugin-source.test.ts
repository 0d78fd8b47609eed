import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { parsePluginSource } from './plugin-source.js'

let here: string

beforeAll(() => {
  here = mkdtempSync(join(tmpdir(), 'bkp-source-'))
  for (const name of ['mine/x', '@ann/x', 'name']) mkdirSync(join(here, name), { recursive: true })
  writeFileSync(join(here, 'mine/x.tgz'), '')
})
afterAll(() => rmSync(here, { recursive: true }))

it.each([
  ['bkp-x', { kind: 'registry', spec: 'bkp-x@*', name: 'bkp-x', isExact: false }],
  ['bkp-x@1.2.3', { kind: 'registry', spec: 'bkp-x@1.2.3', name: 'bkp-x', isExact: true }],
  ['name', { kind: 'registry', spec: 'name@*', name: 'name', isExact: false }],
  ['@ann/x', { kind: 'registry', spec: '@ann/x@*', name: '@ann/x', isExact: false }],
  ['https://example.org/x.tgz', { kind: 'url', spec: 'https://example.org/x.tgz' }],
  ['git+https://example.org/x#v1', { kind: 'git', spec: 'https://example.org/x#v1' }],
  ['ann/x', { kind: 'git', spec: 'https://github.com/ann/x.git' }],
])('%s is not of this machine', async (text, source) => {
  expect(await parsePluginSource(text, here)).toEqual(source)
})

it.each([
  ['./mine/x.tgz', 'tarball', 'mine/x.tgz'],
  ['mine/x.tgz', 'tarball', 'mine/x.tgz'],
  ['./mine/x', 'folder', 'mine/x'],
  ['mine/x', 'folder', 'mine/x'],
  ['./absent.tgz', 'tarball', 'absent.tgz'],
  ['absent.tgz', 'tarball', 'absent.tgz'],
])('%s is a %s here', async (text, kind, path) => {
  expect(await parsePluginSource(text, here)).toEqual({ kind, spec: join(here, path) })
})

it.each(['https://ann:secret@example.org/x.tgz', 'git+https://ann:secret@example.org/x', 'x@npm:y'])(
  '%s is refused without being told again',
  async (text) => {
    const refused = await parsePluginSource(text, here).catch((error: Error) => error)
    expect(refused).toBeInstanceOf(Error)
    expect(String(refused)).not.toContain('secret')
  },
)
