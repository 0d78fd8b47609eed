#!/usr/bin/env node
// Makes repository/, recovery-code.txt and expected.json. See README.md; needs root of Linux, setpriv and getfattr.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describeTree } from './describe-tree.mjs'
import { changeTree, EXTENTS, makeTree, UNREADABLE } from './make-tree.mjs'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))
const repository = here('repository')
const passwordFile = here('passphrase.txt')
/** Right below `/`, so that no folder above it, with times of its own, becomes part of the snapshots. */
const top = 'bkp-vectors'
const root = `/${top}`
const backups = [
  ['--compression', 'zstd', '--cipher', 'aes-256-gcm', '--tag', 'first'],
  ['--compression', 'deflate', '--cipher', 'xchacha20-poly1305', '--tag', 'second', '--tag', 'ünïcode'],
]

/** Without the capabilities by which root reads everything. */
function bkp(exitCode, ...args) {
  const drop = ['dac_override', 'dac_read_search'].map((name) => `-${name}`).join()
  const command = [process.execPath, here('../../packages/cli/bin/run.js'), ...args, '--to', repository, '--json']
  const ran = spawnSync(
    'setpriv',
    [`--bounding-set=${drop}`, `--inh-caps=${drop}`, ...command, '--password-file', passwordFile],
    { encoding: 'utf8', env: { PATH: process.env.PATH } },
  )
  if (ran.status !== exitCode) throw new Error(`bkp ${args.join(' ')}: ${ran.status}\n${ran.stdout}${ran.stderr}`)
  return JSON.parse(ran.stdout)
}

function namesIn(file) {
  const lines = readFileSync(file, 'utf8').trim().split('\n')
  return new Map(lines.map((line) => line.split(':')).map(([name, , id]) => [Number(id), name]))
}

/** Anything else that bkp could not store would make a poorer vector without a word. */
function requireIssues(issues) {
  const wanted = Object.values(UNREADABLE)
    .flat()
    .map((path) => `${root}/${path}`)
  const found = issues.map(({ path }) => path)
  if (found.sort().join() !== wanted.sort().join()) throw new Error(`Other issues than wanted: ${found.join(', ')}`)
}

/** The tree as the source has it, with what only its maker knows. */
function expectedEntries(issues) {
  const users = namesIn('/etc/passwd')
  const groups = namesIn('/etc/group')
  const unreadable = Object.values(UNREADABLE).flat()
  // Sockets are left out of snapshots.
  return describeTree('', top, { users, groups })
    .filter(({ type }) => type !== 'socket')
    .map((entry) => {
      const path = typeof entry.path === 'string' ? entry.path.slice(top.length + 1) : ''
      const extents = EXTENTS[path]
      if (extents) return { ...entry, extents }
      if (!unreadable.includes(path)) return entry
      const { sha256, ...rest } = entry
      return { ...rest, error: issues.find((issue) => issue.path === `/${entry.path}`).message }
    })
}

function statsOf(entries) {
  const count = (...types) => entries.filter(({ type }) => types.includes(type)).length
  return {
    files: count('file'),
    directories: count('directory'),
    others: entries.length - count('file', 'directory'),
    bytes: entries.reduce((sum, { size, error }) => sum + (error === undefined ? size : 0), 0),
    errors: entries.filter(({ error }) => error !== undefined).length,
  }
}

if (existsSync(root)) throw new Error(`${root} is there already`)
rmSync(repository, { recursive: true, force: true })
try {
  await makeTree(root)
  const { recoveryCode } = bkp(0, 'init')
  writeFileSync(here('recovery-code.txt'), `${recoveryCode}\n`)
  const snapshots = backups.map((flags, n) => {
    if (n > 0) changeTree(root)
    const made = bkp(3, 'backup', root, '--host', 'vectors', ...flags)
    requireIssues(made.issues)
    const entries = expectedEntries(made.issues)
    return {
      id: made.snapshot,
      parent: made.parent,
      hostname: 'vectors',
      paths: [root],
      tags: flags.filter((_, at) => flags[at - 1] === '--tag'),
      issues: made.issues.map(({ kind, path, message }) => ({ kind, path, message })),
      stats: statsOf(entries),
      entries,
    }
  })
  writeFileSync(here('expected.json'), `${JSON.stringify({ snapshots }, null, 1)}\n`)
} finally {
  rmSync(root, { recursive: true, force: true })
}
