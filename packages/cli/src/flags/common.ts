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

export const configFlag = {
  config: Flags.string({
    description: '[env: BKP_CONFIG] configuration file',
    helpGroup: 'GLOBAL',
    helpValue: 'FILE',
  }),
}

// Not by oclif's `env`: for a flag that may be repeated it gives the text where a list is declared.
const place = {
  description: '[env: BKP_REPOSITORY] where the repository is: a folder, a URL, or a name of the configuration',
  helpValue: 'PLACE',
  multiple: true,
  multipleNonGreedy: true,
} as const

/** A flag that names places for another purpose than to say where the repository is. */
export const placeFlag = (description: string) =>
  Flags.string({ ...place, description: `${description}: a folder, a URL, or a name of the configuration` })

export const fromFlag = { from: Flags.string(place), ...configFlag }

export const toFlag = { to: Flags.string(place), ...configFlag }

const rate = { helpGroup: 'LIMITS', helpValue: 'RATE' }

/** How fast destinations may be used; instead of what the configuration says. */
export const limitFlags = {
  'limit-upload': Flags.string({ description: 'at most so many bytes per second to each place, e.g. 5M', ...rate }),
  'limit-download': Flags.string({ description: 'at most so many bytes per second from each place', ...rate }),
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

/** How new blobs are sealed. */
export const formatFlags = {
  compression: Flags.string({
    description:
      'how to compress: zstd, deflate, none, or what a plugin has (default: zstd where it works, else deflate)',
    helpGroup: 'FORMAT',
    helpValue: 'ID',
  }),
  'compression-level': Flags.integer({
    description: '1 to 19 for zstd, 1 to 9 for deflate: higher is smaller and slower',
    min: 1,
    helpGroup: 'FORMAT',
    helpValue: 'N',
  }),
  cipher: Flags.string({
    description: 'how to encrypt: aes-256-gcm, xchacha20-poly1305, or what a plugin has (default: aes-256-gcm)',
    helpGroup: 'FORMAT',
    helpValue: 'ID',
  }),
}
