import { BkpError } from '../errors/index.js'
import { type InstalledPlugin, knownPorts, type PortName } from './manifest.js'

/** What one plugin says that it fills, as it stands in messages: `the scheme x:`, `the notifier "y"`. */
export type Claim = string

export const claimOf = (port: PortName, id: string): Claim => `the ${port} "${id}"`
export const schemeClaim = (scheme: string): Claim => `the scheme ${scheme}:`

/** Everything that a manifest claims; also of one that is not valid, as far as it can be read. */
export function claimsOf(manifest: unknown): readonly Claim[] {
  const { contributes } = (manifest ?? {}) as { contributes?: unknown }
  const claims: Claim[] = []
  for (const port of knownPorts) {
    const listed = (contributes as Record<string, unknown> | null | undefined)?.[port]
    for (const contribution of Array.isArray(listed) ? listed : []) {
      const { id, schemes } = (contribution ?? {}) as { id?: unknown; schemes?: unknown }
      if (typeof id === 'string') claims.push(claimOf(port, id))
      if (port === 'storage' && Array.isArray(schemes))
        claims.push(...schemes.filter((scheme) => typeof scheme === 'string').map(schemeClaim))
    }
  }
  return claims
}

export interface Contest {
  readonly plugins: readonly InstalledPlugin[]
  /** Installed plugins that claim what comes with bkp, with the reason why they are left out. */
  readonly refused: readonly { readonly plugin: InstalledPlugin; readonly error: BkpError }[]
  /** Claims of several installed plugins, which are nobody's, with the error for whoever needs them. */
  readonly contested: ReadonlyMap<Claim, BkpError>
}

/** What comes with bkp goes before everything; between two installed plugins bkp does not choose. */
export function settleConflicts(all: readonly InstalledPlugin[]): Contest {
  const bundled = all.filter(({ isBundled }) => isBundled)
  const builtIn = new Set(bundled.flatMap(({ manifest }) => claimsOf(manifest)))
  const names = new Set(bundled.map(({ packageName }) => packageName))
  const refused: { plugin: InstalledPlugin; error: BkpError }[] = []
  const plugins = [...bundled]
  for (const plugin of all.filter(({ isBundled }) => !isBundled)) {
    const reason = names.has(plugin.packageName)
      ? 'has the name of a plugin that comes with bkp'
      : claimsOf(plugin.manifest)
          .filter((claim) => builtIn.has(claim))
          .map((claim) => `claims ${claim}, which ${ownerOf(bundled, claim)} of bkp itself has`)[0]
    if (reason === undefined) plugins.push(plugin)
    else refused.push({ plugin, error: uninstall(`${plugin.packageName} ${reason}`, [plugin.packageName]) })
  }
  const contested = new Map<Claim, BkpError>()
  const owners = new Map<Claim, string>()
  for (const { packageName, manifest } of plugins) {
    for (const claim of claimsOf(manifest)) {
      const owner = owners.get(claim)
      if (owner === undefined) owners.set(claim, packageName)
      else contested.set(claim, uninstall(`Both ${owner} and ${packageName} claim ${claim}`, [owner, packageName]))
    }
  }
  return { plugins, refused, contested }
}

function ownerOf(plugins: readonly InstalledPlugin[], claim: Claim): string | undefined {
  return plugins.find(({ manifest }) => claimsOf(manifest).includes(claim))?.packageName
}

function uninstall(message: string, names: readonly string[]): BkpError {
  const commands = [...new Set(names)].map((name) => `bkp plugins uninstall ${name}`)
  return new BkpError('plugin-failed', message, {
    hint: names.length === 1 ? `It is not used; take it away: ${commands}` : `Uninstall one: ${commands.join(' or ')}`,
  })
}
