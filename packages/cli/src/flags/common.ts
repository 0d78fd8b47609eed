import { Flags } from '@oclif/core'

const passphraseGroup = 'PASSPHRASE'

/** How the passphrase is given, besides BKP_PASSWORD and a question. */
export const passphraseFlags = {
  'password-file': Flags.string({
    description: 'read the passphrase from a file of one line',
    helpGroup: passphraseGroup,
    helpValue: 'FILE',
  }),
  'password-command': Flags.string({
    description: 'run a program that prints the passphrase',
    helpGroup: passphraseGroup,
    helpValue: 'COMMAND',
  }),
}

/** Flags of every command that opens a repository. */
export const unlockFlags = {
  ...passphraseFlags,
  'recovery-code': Flags.boolean({
    default: false,
    description: 'open with the recovery code: BKP_RECOVERY_CODE, or asked for',
    helpGroup: passphraseGroup,
  }),
  'recovery-code-file': Flags.string({
    description: 'open with the recovery code in a file',
    helpGroup: passphraseGroup,
    helpValue: 'FILE',
  }),
}

const place = { description: 'where the repository is: a folder or a URL', helpValue: 'URL' }

export const fromFlag = { from: Flags.string({ ...place, env: 'BKP_REPOSITORY', required: true }) }

// Not by oclif's `env`: for a flag that may be repeated it gives the text where a list is declared.
export const toFlag = {
  to: Flags.string({
    ...place,
    description: `(required) [env: BKP_REPOSITORY] ${place.description}`,
    multiple: true,
    multipleNonGreedy: true,
  }),
}

/** Which snapshots are meant, also by "latest". */
export const filterFlags = {
  host: Flags.string({ description: 'only snapshots of this machine', helpValue: 'NAME' }),
  tag: Flags.string({ description: 'only snapshots with this label', helpValue: 'TAG' }),
}

export const progressFlag = {
  progress: Flags.boolean({
    description: 'show progress (default: yes; with --json no, else as JSON lines before the document)',
    allowNo: true,
  }),
}
