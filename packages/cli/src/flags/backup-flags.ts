import { Flags } from '@oclif/core'
import { formatFlags, limitFlags, progressFlag, toFlag, unlockFlags } from './common.js'

const selection = 'SELECTION'
const repeatable = { multiple: true, multipleNonGreedy: true } as const

export const backupFlags = {
  ...toFlag,
  ...unlockFlags,
  ...progressFlag,
  ...limitFlags,
  job: Flags.string({
    description: 'run a job of the configuration; other flags go before what it says',
    helpValue: 'NAME',
  }),
  tag: Flags.string({ description: 'label of the snapshot', helpValue: 'TAG', ...repeatable }),
  host: Flags.string({
    description: 'name of the machine in the snapshot (default: its host name)',
    helpValue: 'NAME',
  }),
  force: Flags.boolean({
    default: false,
    description: 'read every file, also those that look unchanged, and look for every pack',
  }),
  'no-cache': Flags.boolean({
    default: false,
    description: 'neither use nor keep what this machine remembers of runs',
  }),
  'dry-run': Flags.boolean({ default: false, description: 'do everything but write' }),
  parent: Flags.string({
    description: 'snapshot to compare with (default: the newest of this machine and these paths)',
    helpValue: 'SNAP',
  }),
  'from-command': Flags.string({
    description: 'back up what a program prints; if it fails, no snapshot is made',
    helpValue: 'COMMAND',
  }),
  source: Flags.string({
    description: 'read by a source of a plugin; paths are what that takes for such',
    helpValue: 'ID',
  }),
  'source-option': Flags.string({
    description: 'option of the source; no secrets, which every user of this machine could see',
    helpValue: 'NAME=VALUE',
    ...repeatable,
  }),
  'stdin-name': Flags.string({ description: 'file name for standard input or a program', helpValue: 'NAME' }),
  exclude: Flags.string({
    description: 'leave out what fits a gitignore pattern',
    helpGroup: selection,
    helpValue: 'PATTERN',
    ...repeatable,
  }),
  'exclude-file': Flags.string({
    description: 'leave out what fits the patterns in a file',
    helpGroup: selection,
    helpValue: 'FILE',
    ...repeatable,
  }),
  'exclude-caches': Flags.boolean({
    allowNo: true,
    description: 'leave out the content of folders with a CACHEDIR.TAG',
    helpGroup: selection,
  }),
  'exclude-larger-than': Flags.string({
    description: 'leave out files above a size, e.g. 500M',
    helpGroup: selection,
    helpValue: 'SIZE',
  }),
  'one-file-system': Flags.boolean({
    allowNo: true,
    description: 'do not enter other file systems',
    helpGroup: selection,
  }),
  ...formatFlags,
}
