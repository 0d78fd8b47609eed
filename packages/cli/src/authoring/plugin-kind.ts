import { UsageError } from '../errors/cli-error.js'

/** The ports that a plugin can fill, each with a template of the same name. */
export const pluginKinds = ['storage', 'compression', 'encryption', 'source', 'notifier'] as const

export type PluginKind = (typeof pluginKinds)[number]

/** @throws UsageError for anything else */
export function parseKind(text: string): PluginKind {
  const kind = pluginKinds.find((candidate) => candidate === text.trim())
  if (kind !== undefined) return kind
  throw new UsageError(`"${text}" is no kind of plugin`, `Kinds are ${pluginKinds.join(', ')}`)
}

/** What is wrong with an id as it stands in manifests, on disk and, for a storage, before the colon of URLs. */
export function idFault(kind: PluginKind, id: string): string | undefined {
  if (!/^[a-z0-9][a-z0-9.-]{0,31}$/.test(id))
    return 'has to be lower-case letters, digits, "." and "-", at most 32, the first a letter or digit'
  // One letter and a colon are a drive of Windows.
  if (kind === 'storage' && !/^[a-z][a-z0-9.-]+$/.test(id))
    return 'is the scheme of URLs too, so it begins with a letter and has at least two characters'
  if (kind === 'compression' && id === 'none') return 'means that nothing is compressed'
  return undefined
}

/** What is wrong with the name of an npm package that somebody else publishes. */
export function packageNameFault(name: string): string | undefined {
  if (name.length > 214 || !/^(@[a-z0-9-~][a-z0-9-._~]*\/)?[a-z0-9-~][a-z0-9-._~]*$/.test(name))
    return 'is no name of an npm package: lower-case letters, digits, "-", "." and "_", with or without @scope/'
  if (name === 'bkp' || name.startsWith('@bkp/')) return 'belongs to bkp itself; take a name or scope of your own'
  return undefined
}
