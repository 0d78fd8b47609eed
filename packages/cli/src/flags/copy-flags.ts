import { Flags } from '@oclif/core'
import { configFlag, filterFlags, formatFlags, limitFlags, placeFlag, progressFlag, unlockFlags } from './common.js'

const passphraseGroup = 'PASSPHRASE OF THE TARGET'

export const copyFlags = {
  from: placeFlag('where the snapshots are'),
  to: placeFlag('where they are copied to; several are destinations of one repository'),
  ...configFlag,
  ...unlockFlags,
  'to-password-file': Flags.string({
    description: 'read the passphrase of the target from a file of one line',
    helpGroup: passphraseGroup,
    helpValue: 'FILE',
  }),
  'to-password-command': Flags.string({
    description: 'run a program that prints the passphrase of the target',
    helpGroup: passphraseGroup,
    helpValue: 'COMMAND',
  }),
  ...filterFlags,
  path: Flags.string({ description: 'only snapshots of this path', helpValue: 'PATH' }),
  'dry-run': Flags.boolean({
    default: false,
    description: 'tell what would be copied, and how much would be read at most; reads no data',
  }),
  ...formatFlags,
  ...limitFlags,
  ...progressFlag,
}
