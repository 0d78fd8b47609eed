import { Session } from '../../repository/session.js'
import type { OperationContext } from '../context.js'
import { asError, type Replica } from './replica.js'

/** A writer's leases, one on each destination: what one of them denies is no concern of the others. */
export class Leases {
  readonly #sessions: ReadonlyMap<Replica, Session>

  private constructor(sessions: ReadonlyMap<Replica, Session>) {
    this.#sessions = sessions
  }

  /**
   * A destination that cannot be written to takes no further part.
   * @throws the first failure, when none can
   */
  static async begin(context: OperationContext, cipherId: string, operation: string): Promise<Leases> {
    const seal = (payload: Uint8Array) => context.seal('session', payload, cipherId).bytes
    const details = { hostname: context.hostname, pid: process.pid, operation }
    const sessions = new Map<Replica, Session>()
    await Promise.all(
      context.replicas.map(async (replica) => {
        const { storage } = replica
        try {
          sessions.set(replica, await Session.begin({ storage, seal, now: context.now }, details))
        } catch (error) {
          replica.giveUp(asError(error))
        }
      }),
    )
    if (sessions.size === 0) throw context.replicas[0]?.failure ?? new Error('There is no destination')
    return new Leases(sessions)
  }

  /** Undefined for a destination that takes no part. */
  of(replica: Replica): Session | undefined {
    return replica.failure === undefined ? this.#sessions.get(replica) : undefined
  }

  /** Whose lease of this run lies under a key. */
  holderOf(key: string): Replica | undefined {
    return [...this.#sessions].find(([, session]) => session.owns(key))?.[0]
  }

  /** Stops without a trace of an end. */
  async abandon(): Promise<void> {
    await Promise.all([...this.#sessions.values()].map((session) => session.abandon()))
  }

  /** Ends those of the destinations that have all of the run; the others may hold packs that no index names. */
  async end(): Promise<void> {
    await Promise.all(
      [...this.#sessions].map(([replica, session]) =>
        replica.failure === undefined ? session.end() : session.abandon(),
      ),
    )
  }
}
