import { lstat, readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { BackupOptions } from '@bkp/core'
import type { JobConfig } from '@bkp/core/config'
import { CliError, UsageError } from '../errors/cli-error.js'
import { safe } from '../output/text.js'

type SourceConfig = NonNullable<JobConfig['source']>

export type WhatToBackUp = Pick<BackupOptions, 'source' | 'paths'>

interface SourceFlags {
  readonly 'from-command'?: string | undefined
  readonly 'stdin-name'?: string | undefined
  /** Of a plugin, with its options. */
  readonly source?: SourceConfig | undefined
}

/** What `backup` reads: files and folders, standard input, or a program. */
export async function whatToBackUp(paths: readonly string[], flags: SourceFlags): Promise<WhatToBackUp> {
  const command = flags['from-command']
  const isStdin = paths.includes('-')
  if (flags.source !== undefined) {
    if (command !== undefined || flags['stdin-name'] !== undefined)
      throw new UsageError('A source and a program or standard input were given', 'Make two snapshots: one of each')
    const { use, options } = flags.source
    // What a path is, is for the source to say; without one it is all that there is.
    const named = paths.length === 0 ? ['/'] : paths
    if (named.includes('')) throw emptyPath('leave it out for all that the source has')
    for (const path of named) if (/(^|\/)\.{1,2}(\/|$)/.test(path)) throw dotted(path)
    return { source: { id: use, configuration: options }, paths: named.map((path) => Buffer.from(path)) }
  }
  if (command !== undefined && paths.length > 0) {
    throw new UsageError('Paths and --from-command were both given', 'Make two snapshots: one of each')
  }
  if (isStdin && paths.length > 1) {
    throw new UsageError('"-" (standard input) and other paths were given', 'Make two snapshots: one of each')
  }
  if (command !== undefined) {
    if (command.trim() === '') throw new UsageError('--from-command is empty', "Write for example 'pg_dump db'")
    return streamOf('command', flags['stdin-name'] ?? 'output', { command })
  }
  if (isStdin) return streamOf('stdin', flags['stdin-name'] ?? 'stdin', {})
  if (flags['stdin-name'] !== undefined) {
    throw new UsageError('--stdin-name names standard input or a program, and neither is backed up', 'Leave it out')
  }
  if (paths.length === 0) throw new UsageError('There is nothing to back up', 'Name it: bkp backup PATH --to URL')
  return { source: { id: 'fs', configuration: {} }, paths: await existing(paths) }
}

function emptyPath(instead: string): UsageError {
  return new UsageError('One of the paths is empty', `Name something, or ${instead}`)
}

// In a snapshot every part of a path is a folder, and these are names of none.
function dotted(path: string): UsageError {
  return new UsageError(
    `${safe(path)} has a part "." or ".."`,
    'Write the path without it: what it leads to only the source knows',
  )
}

function streamOf(id: string, name: string, more: Readonly<Record<string, string>>): WhatToBackUp {
  if (name === '' || name === '.' || name === '..' || /[/\0]/.test(name)) {
    throw new UsageError(`"${name}" is not a file name`, 'Give a name without "/", for example --stdin-name db.sql')
  }
  return { source: { id, configuration: { ...more, name } }, paths: [Buffer.from(`/${name}`)] }
}

/** Nothing there at all is an error; one of several that is missing becomes an issue of the snapshot. */
async function existing(paths: readonly string[]): Promise<Uint8Array[]> {
  if (paths.includes('')) throw emptyPath('write "." for this folder')
  const absolute = [...new Set(paths.map((path) => resolve(path)))]
  const problems = await Promise.all(absolute.map((path) => problemOf(path)))
  if (problems.every((problem) => problem !== undefined)) {
    // The command line is in order: exit code 1.
    throw new CliError('source-unreadable', problems.join('; '), 'Check the spelling, and that the disk is there')
  }
  return absolute.map((path) => Buffer.from(path))
}

async function problemOf(path: string): Promise<string | undefined> {
  try {
    await lstat(path)
    return undefined
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return code === 'ENOENT' ? `There is no ${safe(path)}` : `${safe(path)} cannot be read (${code})`
  }
}

/**
 * A source of the command line. Numbers and truth values become such; its schema is asked later.
 * @throws UsageError
 */
export function sourceOfFlags(use: string | undefined, given: readonly string[] = []): SourceConfig | undefined {
  if (use === undefined) {
    if (given.length === 0) return undefined
    throw new UsageError('--source-option is given, and no --source', 'Name the source: --source ID')
  }
  const options = given.map((text) => {
    const at = text.indexOf('=')
    if (at < 1) throw new UsageError(`--source-option ${text} has no value`, 'Write NAME=VALUE')
    const value = text.slice(at + 1)
    return [
      text.slice(0, at),
      /^(true|false|-?\d{1,15})$/.test(value) ? (JSON.parse(value) as unknown) : value,
    ] as const
  })
  return { use, options: Object.fromEntries(options) }
}

/** Patterns of `--exclude-file`: one a line; blank lines and comments are left out. */
export async function readPatternFiles(files: readonly string[]): Promise<string[]> {
  const texts = await Promise.all(files.map(readPatternFile))
  return texts.flatMap((text) => text.split(/\r?\n/)).filter((line) => line.trim() !== '' && !line.startsWith('#'))
}

async function readPatternFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw new UsageError(
      `The exclude file cannot be read: ${(error as Error).message}`,
      'Check its path and who may read it',
    )
  }
}
