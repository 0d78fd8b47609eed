import { listPacks, type PackTest } from '../../repository/lost-packs.js'
import type { PackRegistry } from '../../repository/pack-registry.js'
import type { Replica } from './replica.js'

/**
 * Which packs the destinations have. A run relies on what was stored before, and what was lost since then (a disk that was
 * mended, a file that was removed by hand) would be missing in all snapshots to come.
 *
 * On a network a list of all packs takes its time, and may cost money: there they are listed only where everything is read
 * again anyway, and else believed to be there.
 */
export class PackSurvey {
  readonly #held: ReadonlyMap<Replica, ReadonlyMap<string, number>>
  readonly #isWhole: boolean

  private constructor(held: ReadonlyMap<Replica, ReadonlyMap<string, number>>, isWhole: boolean) {
    this.#held = held
    this.#isWhole = isWhole
  }

  /** @param everywhere whether those on a network are asked, too */
  static async of(replicas: readonly Replica[], everywhere: boolean, signal: AbortSignal): Promise<PackSurvey> {
    const held = new Map<Replica, ReadonlyMap<string, number>>()
    const asked = replicas.filter(({ storage }) => everywhere || storage.capabilities.isLocal)
    await Promise.all(
      asked.map(async (replica) => {
        try {
          held.set(replica, await listPacks(replica.storage, { signal }))
        } catch {
          // Nothing is known of it then, which is no worse than not to have asked; what it refuses to the run ends its part.
          signal.throwIfAborted()
        }
      }),
    )
    return new PackSurvey(held, held.size === replicas.length)
  }

  /** Whether a pack is somewhere, as far as is known. */
  readonly mayBeThere: PackTest = (name, sizeBytes) =>
    !this.#isWhole || [...this.#held.values()].some((packs) => packs.get(name) === sizeBytes)

  /** Whether a destination lacks packs of the index that others may have. */
  isLacking(replica: Replica, packs: PackRegistry): boolean {
    const held = this.#held.get(replica)
    if (held === undefined) return false
    for (let pack = 0; pack < packs.count; pack++) if (held.get(packs.nameOf(pack)) !== packs.sizeOf(pack)) return true
    return false
  }
}
