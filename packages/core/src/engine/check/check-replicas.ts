import { isPortError } from '@bkp/plugin-api'
import { shownPlace } from '../../config/destination.js'
import { descriptorKey } from '../../format/ids.js'
import { throwIfAborted } from '../abort.js'
import type { CheckOptions, CheckResult, Damage, DestinationCheck } from '../api.js'
import type { OperationContext } from '../context.js'
import { findMissing } from '../replicas/copy-missing.js'
import { type HealResult, healObjects, isHealable } from '../replicas/heal.js'
import { healDescriptors } from '../replicas/heal-descriptors.js'
import { openReplicas } from '../replicas/open-replicas.js'
import type { Replica } from '../replicas/replica.js'
import { ReplicatedStorage } from '../replicas/replicated-storage.js'
import { runCheck } from './run-check.js'

/** Checks each replica by itself and against the others, and heals it from them where that is asked for. */
export async function checkReplicas(
  context: OperationContext,
  options: CheckOptions,
): Promise<readonly DestinationCheck[]> {
  const helpers = await openHelpers(context, options)
  const restored = options.heal ? await restoreAbsent(context, options) : []
  try {
    const results: DestinationCheck[] = []
    const replicas = [...context.replicas, ...restored.map(({ replica }) => replica)]
    for (const replica of replicas) {
      throwIfAborted(options.signal)
      const others = [...replicas, ...helpers].filter((other) => other !== replica)
      const result = await new ReplicaCheck(context.only(replica), replica, others, options).run()
      const descriptor = restored.find((candidate) => candidate.replica === replica)
      results.push(descriptor === undefined ? result : { ...result, healed: [descriptor.healed, ...result.healed] })
      await context.checkRecords?.remember(context.repository.id, replica.destination.url, {
        time: new Date(context.now()).toISOString(),
        readDataShare: options.readDataShare,
        damages: result.damages.length,
      })
    }
    return results
  } finally {
    const ours = [...helpers, ...restored.map(({ replica }) => replica)]
    await Promise.all(ours.map(({ storage }) => storage.close()))
  }
}

/** Destinations that only lack a sound descriptor are checked like the others once they have it again. */
function restoreAbsent(context: OperationContext, { signal, onEvent }: CheckOptions) {
  return healDescriptors(context, signal, ({ destination: { name } }, reason) =>
    onEvent?.({ kind: 'note', message: `${descriptorKey} of ${name} could not be healed: ${reason}` }),
  )
}

/** Destinations that are only read from. */
async function openHelpers(context: OperationContext, { healFrom = [] }: CheckOptions): Promise<readonly Replica[]> {
  if (healFrom.length === 0) return []
  const { replicas } = await openReplicas(context.plugins, healFrom, { repositoryId: context.repository.id })
  return replicas
}

class ReplicaCheck {
  readonly #context: OperationContext
  readonly #replica: Replica
  readonly #others: readonly Replica[]
  readonly #options: CheckOptions

  constructor(context: OperationContext, replica: Replica, others: readonly Replica[], options: CheckOptions) {
    this.#context = context
    this.#replica = replica
    this.#others = others
    this.#options = options
  }

  async run(): Promise<DestinationCheck> {
    const { name, url } = shownPlace(this.#replica.destination)
    if (this.#others.length === 0) return { ...(await runCheck(this.#context, this.#options)), name, url, healed: [] }
    const { found, unread } = await this.#checkWithIndexOfAll()
    const known = [...unread, ...found.damages]
    const damages = [...known, ...(await this.#missingHere(known))]
    if (!this.#options.heal) return { ...found, name, url, damages: await this.#locate(damages), healed: [] }
    const { healed, sound } = await this.#heal(damages)
    if (healed.length === 0) return { ...found, name, url, damages, healed }
    // What was healed may have hidden other things, and said to be lost what is not.
    const after = await runCheck(this.#context, { ...this.#options, readDataShare: 0 })
    const isHealed = new Set(healed.map(({ key }) => key))
    const still = new Set(after.damages.map(({ key }) => key))
    // A sound snapshot was named for what it needs, and that the second check has looked for. Packs it has not read again.
    const isOver = (key: string) => isHealed.has(key) || (sound.has(key) && !key.startsWith('packs/'))
    const unhealed = damages.filter(({ key }) => isHealable(key) && !isOver(key) && !still.has(key))
    const { packsRead, bytesRead } = found
    return { ...after, packsRead, bytesRead, name, url, damages: [...after.damages, ...unhealed], healed }
  }

  /** What this replica's own index does not tell, because it is damaged or gone, others' tell: no pack stays unread for it. */
  async #checkWithIndexOfAll(): Promise<{ readonly found: CheckResult; readonly unread: readonly Damage[] }> {
    const unread: Damage[] = []
    const all = new ReplicatedStorage([this.#replica, ...this.#others], (from, _, key, reason) => {
      if (from === this.#replica && isPortError(reason, 'corrupt'))
        unread.push({ key, message: reason.message, affects: [] })
    })
    const found = await runCheck(this.#context, this.#options, this.#context.readBy(all))
    return { found, unread }
  }

  /** What others have and this one has not, e.g. a snapshot that was deleted: by itself nobody would miss it. */
  async #missingHere(known: readonly Damage[]): Promise<readonly Damage[]> {
    const missing = await findMissing(this.#otherStorage(), this.#context.storage, this.#options.signal)
    const isKnown = new Set(known.map(({ key }) => key))
    return (
      missing.steps
        .flat()
        // Of two sizes the check itself has found out which is wrong.
        .filter(({ key, isInDoubt }) => key !== descriptorKey && !isInDoubt && !isKnown.has(key))
        .map(({ key }) => ({
          key,
          message: 'other destinations have it, and here it is missing',
          affects: [],
        }))
    )
  }

  /** Says of each damage who has the object sound. */
  async #locate(damages: readonly Damage[]): Promise<readonly Damage[]> {
    const located: Damage[] = []
    for (const damage of damages) {
      throwIfAborted(this.#options.signal)
      const intactAt = isHealable(damage.key) ? await this.#whoHas(damage.key) : undefined
      located.push(intactAt === undefined ? damage : { ...damage, intactAt })
    }
    return located
  }

  async #whoHas(key: string): Promise<string | undefined> {
    for (const { name, storage } of this.#others) {
      const isSound = await storage.get(key).then(
        () => true,
        // Whatever the reason, this one cannot help.
        () => false,
      )
      if (isSound) return name
    }
    return undefined
  }

  async #heal(damages: readonly Damage[]): Promise<HealResult> {
    const keys = new Map(damages.filter(({ key }) => isHealable(key)).map(({ key, message }) => [key, message]))
    const result = await healObjects(keys, this.#context.storage, this.#otherStorage(), this.#options.signal)
    for (const [key, message] of result.left) {
      // Of a snapshot that is sound the second check says whether it lacks anything still.
      if (result.sound.has(key) && !key.startsWith('packs/')) continue
      this.#options.onEvent?.({ kind: 'note', message: `${key} could not be healed: ${message}` })
    }
    return result
  }

  #otherStorage(): ReplicatedStorage {
    return new ReplicatedStorage(this.#others, () => undefined)
  }
}
