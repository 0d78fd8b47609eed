import type { Logger } from '@bkp/plugin-api'
import type { BkpError } from '../errors/index.js'
import { type Claim, claimOf, claimsOf, schemeClaim, settleConflicts } from './claims.js'
import type { FaultyPlugin, InstalledPlugin, PortName, ReadManifests } from './manifest.js'

type Contribution<P extends PortName> = NonNullable<InstalledPlugin['manifest']['contributes'][P]>[number]

/** A contribution and whose it is. */
export interface Found<P extends PortName> {
  readonly plugin: InstalledPlugin
  readonly contribution: Contribution<P>
}

/** What the plugins contribute. One that cannot be used fails what needs it, and nothing else. */
export class Catalogue {
  readonly plugins: readonly InstalledPlugin[]
  readonly #faulty: readonly FaultyPlugin[]
  readonly #contested: ReadonlyMap<Claim, BkpError>

  /** @param log hears of plugins that are not used */
  constructor(read: ReadManifests, log: Logger) {
    const { plugins, refused, contested } = settleConflicts(read.plugins)
    this.plugins = plugins
    this.#contested = contested
    this.#faulty = [
      ...read.faulty,
      ...refused.map(({ plugin: { packageName, manifest }, error }) => ({ packageName, manifest, error })),
    ]
    for (const { error } of this.#faulty) log.warn(sentence(error))
    for (const error of new Set(contested.values())) log.warn(sentence(error))
  }

  /** @throws BkpError `plugin-failed` when several plugins claim it, or the one that does cannot be used */
  find<P extends PortName>(port: P, id: string): Found<P> | undefined {
    return this.#found(port, claimOf(port, id), (contribution) => contribution.id === id)
  }

  /** As `find`, by a scheme of URLs. */
  findScheme(scheme: string): Found<'storage'> | undefined {
    return this.#found('storage', schemeClaim(scheme), ({ schemes }) => schemes.includes(scheme))
  }

  /** Ids that can be used. */
  idsOf(port: PortName): readonly string[] {
    return this.plugins
      .flatMap(({ manifest }) => (manifest.contributes[port] ?? []).map(({ id }) => id))
      .filter((id) => !this.#contested.has(claimOf(port, id)))
  }

  schemes(): readonly string[] {
    return this.plugins
      .flatMap(({ manifest }) => (manifest.contributes.storage ?? []).flatMap(({ schemes }) => schemes))
      .filter((scheme) => !this.#contested.has(schemeClaim(scheme)))
  }

  #found<P extends PortName>(
    port: P,
    claim: Claim,
    isMeant: (contribution: Contribution<P>) => boolean,
  ): Found<P> | undefined {
    const contest = this.#contested.get(claim)
    if (contest !== undefined) throw contest
    for (const plugin of this.plugins) {
      const listed = (plugin.manifest.contributes[port] ?? []) as readonly Contribution<P>[]
      const contribution = listed.find(isMeant)
      if (contribution !== undefined) return { plugin, contribution }
    }
    const faulty = this.#faulty.find(({ manifest }) => claimsOf(manifest).includes(claim))
    if (faulty !== undefined) throw faulty.error
    return undefined
  }
}

function sentence({ message, hint }: BkpError): string {
  return hint === undefined ? message : `${message}. ${hint}`
}
