import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import {
  type ConnectionFault,
  type FaultProxy,
  type HttpFaultProxy,
  randomLikeBytes,
  startFaultProxy,
  startHttpFaultProxy,
} from '@bkp/testkit'
import { expect, vi } from 'vitest'
import { filesIn } from '../../../support/damage-folder.js'
import { ownsMachine } from '../../../support/machine.js'
import { mountMemory, unmountAll } from '../../../support/mounts.js'
import { expectNoBreakdown, reportOf } from '../../../support/outcomes.js'
import { bkp, type Ran } from '../../../support/run-bkp.js'
import type { Address } from './fault-target.js'
import type { RunTarget } from './run-target.js'

/** Enough for four packs, since each of two threads fills two side by side. */
const files = 6
const fileBytes = 5_000_000
/** In the middle of a run: some packs may be through, and others are not. */
export const middleBytes = 12_000_000
/** A dead destination is found dead in some seconds; one that is only slow, as on a busy machine, is not. */
const patience = { callSeconds: 3, slowest: '8M', retrySeconds: 6 }
/** For faults that pass: retries go on until they have, also on a busy machine. */
const longPatience = { callSeconds: 30, retrySeconds: 90 }
/** Of a run with a destination that is dead: 20 s on a machine that does nothing else. */
export const longestRunMs = 120_000
/** Between the result and the end of the process: what was broken off is tidied up for 10 s at most, and connections that hang must not keep it. */
const longestFarewellMs = 20_000

export interface Outcome {
  readonly name: string
  readonly state: 'complete' | 'lagging'
  readonly message?: string
}
export interface BackupReport {
  readonly snapshotId: string
  readonly destinations: readonly Outcome[]
}

export interface TimedRun extends Ran {
  readonly elapsedMs: number
}

/** Which way a run takes to the server. */
export type Way = 'proxy' | 'patient-proxy' | 'http-proxy' | 'direct' | 'nowhere'

/** Packs that one destination is sent at a time, and again. */
const mostLeftHalf = 8
const execute = promisify(execFile)
const nowhere: Address = { host: 'no-such-host.invalid', port: 22_222 }

/**
 * A server behind proxies, a local disk, and something to back up. Every test has a repository of its own on both; its
 * configuration has a repository for each way: with the disk, or `alone-…` without.
 */
export class RunBench {
  readonly target: RunTarget
  readonly proxy: FaultProxy
  readonly httpProxy: HttpFaultProxy
  readonly #work = mkdtempSync(join(tmpdir(), 'bkp-whole-runs-'))
  #places = 0
  /** The server, since the last test. */
  #wasKilled = false

  private constructor(target: RunTarget, proxy: FaultProxy, httpProxy: HttpFaultProxy) {
    this.target = target
    this.proxy = proxy
    this.httpProxy = httpProxy
  }

  static async start(target: RunTarget): Promise<RunBench> {
    const { address } = target
    const proxies = [
      await startFaultProxy({ target: address }),
      await startHttpFaultProxy({ target: address }),
    ] as const
    const bench = new RunBench(target, ...proxies)
    // Disks of test machines differ; what is tried here is the network.
    if (ownsMachine) mountMemory(bench.at(), 1000)
    mkdirSync(bench.at('source', 'folder'), { recursive: true })
    for (let n = 0; n < files; n++) bench.addFile(`file ${n}`)
    return bench
  }

  at(...names: string[]): string {
    return join(this.#work, ...names)
  }

  get place(): string {
    return `place-${this.#places}`
  }

  addFile(name: string, sizeBytes = fileBytes): void {
    const seed = createHash('sha256').update(name).digest().readInt32LE() || 1
    writeFileSync(this.at('source', 'folder', name), randomLikeBytes(sizeBytes, seed))
  }

  /** A repository on the disk and the server, and a configuration that knows the ways to it. */
  async newRepository(): Promise<void> {
    this.#places++
    this.#wasKilled = false
    const { place, target } = this
    const near = this.at(place)
    await target.prepare(place)
    const ways = {
      proxy: this.proxy,
      'patient-proxy': this.proxy,
      'http-proxy': this.httpProxy,
      direct: target.address,
      nowhere,
    }
    const repositories: Record<string, object> = {}
    for (const [way, at] of Object.entries(ways)) {
      const written = target.writtenPlace({ host: at.host, port: at.port }, place)
      // Whoever asks the server itself has time: a machine may be busy.
      const far =
        way === 'direct' ? written : { ...written, patience: way === 'patient-proxy' ? longPatience : patience }
      repositories[way] = { destinations: { near, far } }
      repositories[`alone-${way}`] = { destinations: { far } }
    }
    writeFileSync(this.at('config.yaml'), JSON.stringify({ version: 1, repositories }))
    const ran = await this.run('init', '--to', 'direct')
    expect({ code: ran.code, said: ran.stderr }).toMatchObject({ code: 0 })
  }

  /** Runs the command line; it must end by itself, soon after it has said its result. */
  run(...args: readonly string[]): Promise<TimedRun> {
    return this.#run(args, {})
  }

  async #run(args: readonly string[], env: Readonly<Record<string, string>>): Promise<TimedRun> {
    const began = performance.now()
    let saidAt = began
    const ran = await bkp([...args, '--config', this.at('config.yaml')], {
      env: { ...this.target.env, BKP_CACHE_DIR: this.at('cache'), XDG_STATE_HOME: this.at('state'), ...env },
      onStart: (child) =>
        child.stdout?.on('data', () => {
          saidAt = performance.now()
        }),
    })
    const ended = performance.now()
    expectNoBreakdown(ran)
    if (saidAt !== began) expect(ended - saidAt, 'between the result and the end').toBeLessThan(longestFarewellMs)
    return { ...ran, elapsedMs: ended - began }
  }

  backup(repository: Way | `alone-${Way}`, env: Readonly<Record<string, string>> = {}): Promise<TimedRun> {
    return this.#run(['backup', this.at('source'), '--to', repository, '--json'], env)
  }

  /** Begins a backup that is held in its middle, does something, and lets it go on. */
  async backupInterruptedBy(repository: Way | `alone-${Way}`, action: () => Promise<unknown>): Promise<TimedRun> {
    const heal = this.proxy.add({ kind: 'stall', direction: 'up', afterBytes: middleBytes })
    const before = this.proxy.counts.stalls
    const running = this.backup(repository)
    await vi.waitFor(() => expect(this.proxy.counts.stalls).toBeGreaterThan(before), { interval: 5, timeout: 180_000 })
    await action()
    heal()
    return running
  }

  /** Ends the server in the middle of whatever it does, or at least its connections, and has it back. */
  async restartServer(): Promise<void> {
    const { process } = this.target
    this.#wasKilled = process !== undefined
    await process?.kill()
    await this.proxy.refuse()
    await process?.restart()
    await this.proxy.accept()
  }

  /** A backup while a fault is at work. */
  async backupUnder(fault: ConnectionFault, repository: Way | `alone-${Way}` = 'proxy'): Promise<TimedRun> {
    const heal = this.proxy.add(fault)
    try {
      return await this.backup(repository)
    } finally {
      heal()
    }
  }

  /**
   * What must be true after a backup to disk and server, whatever happened: the disk is complete; what the server lists is
   * complete, too; sync completes it; and then every byte of both is read and found sound.
   */
  async audit(ran: Ran): Promise<Outcome> {
    const report = reportOf<BackupReport>(ran, ran.code === 4 ? 4 : 0)
    const outcome = report.destinations.find(({ name }) => name === 'far')
    if (outcome === undefined) throw new Error('The far destination is in no result')
    expect(outcome.state).toBe(ran.code === 4 ? 'lagging' : 'complete')
    expect(report.destinations.find(({ name }) => name === 'near')?.state).toBe('complete')
    if (outcome.state === 'lagging') {
      await this.expectSound('direct:far')
      reportOf(await this.run('sync', '--from', 'direct', '--json'), 0)
    }
    await this.#expectEqual(outcome.state === 'lagging' ? mostLeftHalf : 0)
    return outcome
  }

  /** Both hold the same objects, each of them sound. */
  async #expectEqual(mostHalves: number): Promise<void> {
    await this.expectSound('direct')
    const isShared = (path: string) => !path.startsWith('sessions/')
    const near = filesIn(this.at(this.place)).map((path) => path.slice(this.at(this.place).length + 1))
    const { leftByKilledServer } = this.target
    const isKilledServers = (path: string) => this.#wasKilled && leftByKilledServer?.test(path) === true
    const far = (await this.target.filesIn(this.place)).filter((path) => !isKilledServers(path))
    expect(far.filter((path) => isShared(path) && !isHalf(path)).sort()).toEqual(near.filter(isShared).sort())
    // What is on its way when a server goes away for good stays there for a day; nothing else does.
    expect(far.filter(isHalf).length, `halves: ${far.filter(isHalf)}`).toBeLessThanOrEqual(mostHalves)
    this.#expectNoSpool()
  }

  async expectSound(destination: string): Promise<void> {
    reportOf(await this.run('check', '--read-data', '--from', destination, '--json'), 0)
  }

  async expectRestorable(from: string): Promise<void> {
    const ran = await this.restore(from)
    expect(reportOf<{ damaged: number }>(ran, 0).damaged).toBe(0)
    await this.expectRestored()
  }

  restore(from: string): Promise<TimedRun> {
    rmSync(this.at('restored'), { recursive: true, force: true })
    return this.run('restore', `latest:${this.at('source')}`, '--from', from, '--target', this.at('restored'), '--json')
  }

  /** @throws unless every file is as it was, byte for byte */
  async expectRestored(): Promise<void> {
    await execute('diff', ['-r', this.at('source'), this.at('restored')])
  }

  /** Whatever a restore has made under its final name is right, also when it failed. */
  expectNothingWrong(): void {
    const folder = this.at('restored', 'folder')
    for (const name of readdirSync(this.at('source', 'folder'))) {
      const there = readOrNothing(join(folder, name))
      if (there === undefined) continue
      expect(Buffer.compare(there, readFileSync(this.at('source', 'folder', name))), name).toBe(0)
    }
  }

  #expectNoSpool(): void {
    const spool = readOrNothing(this.at('cache', 'spool'), (path) => readdirSync(path))
    expect(spool ?? []).toEqual([])
  }

  /** Heals everything, and makes room for the next test. */
  async tidy(): Promise<void> {
    this.proxy.heal()
    this.httpProxy.heal()
    await this.proxy.accept()
    rmSync(this.at(this.place), { recursive: true, force: true })
    await this.target.remove(this.place)
  }

  async stop(): Promise<void> {
    await this.proxy.close()
    await this.httpProxy.close()
    await this.target.stop()
    if (ownsMachine) unmountAll()
    rmSync(this.#work, { recursive: true, force: true })
  }
}

/** No key begins so; temporary files and unfinished uploads do. */
const isHalf = (path: string) => path.startsWith('@')

function readOrNothing<T = Buffer>(path: string, read: (path: string) => T = readFileSync as never): T | undefined {
  try {
    return read(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
