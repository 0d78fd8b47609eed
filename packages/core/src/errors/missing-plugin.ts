export type MissingKind = 'storage' | 'compression' | 'encryption' | 'source'

/** Packages outside of bkp that we vouch for by name; of a storage by scheme. A guess would invite somebody to take the name. */
const knownPackages: Readonly<Record<MissingKind, Readonly<Record<string, string>>>> = {
  storage: { rclone: 'bkp-storage-rclone' },
  compression: {},
  encryption: {},
  source: {},
}

/** What to type to get the plugin that is missing. */
export function installHint(kind: MissingKind, id: string): string {
  const known = knownPackages[kind][id]
  if (known !== undefined) return `Install it: bkp plugins:install ${known}`
  const what = kind === 'storage' ? `${id}: URLs` : `the ${kind} "${id}"`
  return `Install the plugin for ${what}: bkp plugins:install NAME (packages of that kind have the keyword bkp-plugin)`
}
