export type MissingKind = 'storage' | 'compression' | 'encryption' | 'source' | 'notifier'

/** A package that a repository names. Its form has been checked, and nothing else: whoever wrote the repository wrote it. */
export interface NamedPackage {
  readonly package: string
  readonly version: string
}

/** Packages outside of bkp that we vouch for by name; of a storage by scheme. A guess would invite somebody to take the name. */
const knownPackages: Readonly<Record<MissingKind, Readonly<Record<string, string>>>> = {
  storage: { rclone: 'bkp-storage-rclone' },
  compression: {},
  encryption: {},
  source: {},
  notifier: {},
}

/** What to type to get the plugin that is missing. */
export function installHint(kind: MissingKind, id: string, writtenBy?: NamedPackage): string {
  if (writtenBy !== undefined) return recordedHint(writtenBy)
  const known = knownPackages[kind][id]
  if (known !== undefined) return `Install it: bkp plugins:install ${known}`
  const what = kind === 'storage' ? `${id}: URLs` : `the ${kind} "${id}"`
  return `Install the plugin for ${what}: bkp plugins:install NAME (packages of that kind have the keyword bkp-plugin)`
}

export function recordedHint({ package: name, version }: NamedPackage): string {
  return `The repository says that it was written with ${name} ${version}. If you trust that package, install it: bkp plugins:install ${name}@${version}`
}

/** What a repository cannot say: where its cipher is missing, the id is all that can be read of it. */
export function cipherHint(id: string): string {
  // In a command to type an id must not stand for an option.
  const search = id.startsWith('-') ? 'npm search bkp-plugin' : `npm search bkp-plugin ${id}`
  return `The repository tells no more than this id without its cipher. See which package has it where the backup was made (bkp plugins:list), or look for it (${search}); then: bkp plugins:install NAME`
}
