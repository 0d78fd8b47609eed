import type { Destination, Engine, OpenOptions, Repository, Unlock } from '@bkp/core'
import { collectAtOnce } from '@bkp/core/threads'
import { inject, injectable } from 'tsyringe'
import { CreateEngine, Log } from './tokens.js'

/** The engine and the repositories of one command. */
@injectable()
export class EngineSession {
  readonly #createEngine: CreateEngine
  readonly #log: Log
  readonly #open: { close(): Promise<void> }[] = []
  #engine: Promise<Engine> | undefined

  constructor(@inject(CreateEngine) createEngine: CreateEngine, @inject(Log) log: Log) {
    this.#createEngine = createEngine
    this.#log = log
  }

  engine(): Promise<Engine> {
    this.#engine ??= this.#createEngine(this.#log)
    return this.#engine
  }

  /** Without what plugins have been given that nobody must see; as it is where no plugin was given anything. */
  async hideSecrets<T>(value: T): Promise<T> {
    const [engine] = await Promise.allSettled([this.#engine])
    return engine.status === 'fulfilled' && engine.value !== undefined ? engine.value.hideSecrets(value) : value
  }

  async openRepository(
    destinations: readonly Destination[],
    unlock: Unlock,
    options: OpenOptions = {},
  ): Promise<Repository> {
    const engine = await this.engine()
    const repository = await engine.openRepository(destinations, unlock, options)
    this.#open.push(repository)
    return repository
  }

  /** Closes repositories, in reverse order of opening. */
  async close(): Promise<void> {
    for (let last = this.#open.pop(); last !== undefined; last = this.#open.pop()) await last.close()
  }

  /** Closes the engine, when there is nobody left to tell anything. */
  async end(): Promise<void> {
    const [engine] = await Promise.allSettled([this.#engine])
    if (engine.status === 'rejected' || engine.value === undefined) return
    // Memory goes with the process. Where it waits for threads of plugins to end, V8 would find time for marking it: 20 ms.
    collectAtOnce()
    await engine.value.close()
  }
}
