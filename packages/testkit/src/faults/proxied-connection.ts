import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ActiveFault, Counts, ProxyDirection } from './connection-fault.js'

/** One connection of a client, passed on piece by piece. */
export class ProxiedConnection {
  /** Resolves when both sockets are closed. */
  readonly ended: Promise<void>
  readonly #sockets: readonly Socket[]
  readonly #faults: ReadonlySet<ActiveFault>
  readonly #counts: Counts
  readonly #closed = new Map<Socket, AbortController>()

  constructor(client: Socket, upstream: Socket, faults: ReadonlySet<ActiveFault>, counts: Counts) {
    this.#sockets = [client, upstream]
    this.#faults = faults
    this.#counts = counts
    for (const socket of this.#sockets) {
      // Whatever it is, both sides see the connection end.
      socket.on('error', () => this.end())
      const closed = new AbortController()
      this.#closed.set(socket, closed)
      socket.on('close', () => closed.abort())
    }
    const closed = this.#sockets.map((socket) => new Promise<void>((resolve) => socket.once('close', resolve)))
    this.ended = Promise.all(closed).then(() => undefined)
    // A pump fails when its sockets are destroyed, which is all there is to do then.
    for (const pump of [this.#pump(client, upstream, 'up'), this.#pump(upstream, client, 'down')]) {
      pump.catch(() => this.end())
    }
  }

  /** Breaks it off on both sides. */
  end(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  /** As the system does for a program that was killed: what was on its way is lost. */
  reset(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  async #pump(from: Socket, to: Socket, direction: ProxyDirection): Promise<void> {
    // The other direction may go on when this one has come to its end.
    for await (const chunk of from.iterator({ destroyOnReturn: false })) await this.#pass(chunk, to, direction)
    to.end()
  }

  async #pass(chunk: Buffer, to: Socket, direction: ProxyDirection): Promise<void> {
    let rest = chunk
    while (rest.length > 0) {
      const first = this.#firstToHappen(direction)
      const left = first?.bytesLeft(direction) ?? Number.POSITIVE_INFINITY
      const piece = rest.subarray(0, Math.min(rest.length, left))
      if (piece.length > 0) await this.#send(piece, to, direction)
      rest = rest.subarray(piece.length)
      if (first !== undefined && rest.length > 0) await this.#happen(first, to)
    }
  }

  #firstToHappen(direction: ProxyDirection): ActiveFault | undefined {
    const coming = [...this.#faults].filter((fault) => fault.bytesLeft(direction) !== Number.POSITIVE_INFINITY)
    return coming.sort((a, b) => a.bytesLeft(direction) - b.bytesLeft(direction))[0]
  }

  async #happen(active: ActiveFault, to: Socket): Promise<void> {
    const { fault } = active
    if (fault.kind === 'stall') {
      this.#counts.stalls++
      await this.#pause(fault.ms, active, to)
      // One that has a time to wait is over then.
      if (fault.ms !== undefined) active.heal()
      return
    }
    active.happened()
    this.#counts.cuts++
    this.end()
    throw new Error('cut')
  }

  async #send(piece: Buffer, to: Socket, direction: ProxyDirection): Promise<void> {
    const faults = [...this.#faults]
    for (const active of faults) active.passed(direction, piece.length)
    for (const active of faults) {
      const { fault } = active
      if (fault.kind === 'latency') await this.#pause(fault.ms, active, to)
      if (fault.kind === 'throttle') await this.#pause((piece.length / fault.bytesPerSecond) * 1000, active, to)
      if (fault.kind === 'silence' && !active.healed.aborted) {
        this.#counts.silencedBytes += piece.length
        return
      }
    }
    await new Promise<void>((resolve, reject) => to.write(piece, (error) => (error ? reject(error) : resolve())))
    this.#counts[direction === 'up' ? 'bytesUp' : 'bytesDown'] += piece.length
  }

  /** @throws when nobody is there any more to send to */
  async #pause(ms: number | undefined, { healed }: ActiveFault, to: Socket): Promise<void> {
    const closed = this.#closed.get(to)?.signal
    closed?.throwIfAborted()
    if (healed.aborted) return
    const over = new AbortController()
    const forget = [healed, closed].map((signal) => {
      const stop = () => over.abort()
      signal?.addEventListener('abort', stop, { once: true })
      return () => signal?.removeEventListener('abort', stop)
    })
    // The longest that a timer can be stands for ever.
    await sleep(ms ?? 2 ** 31 - 1, undefined, { signal: over.signal }).catch(() => closed?.throwIfAborted())
    for (const one of forget) one()
  }
}
