import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import {
  type FileReader,
  type Logger,
  PortError,
  type ReadOutcome,
  type Source,
  type WorkerRequest,
} from '@bkp/plugin-api'
import { SingleFileSource } from './single-file-source.js'

/** @throws PortError `config` without a command */
export function openCommandSource({ configuration, log }: WorkerRequest): Source {
  const { command } = configuration
  if (typeof command !== 'string' || command === '')
    throw new PortError('config', 'The source "command" needs a command to run')
  return new SingleFileSource(() => new CommandReader(command, log), Date.now())
}

const wakingEvents = ['readable', 'end', 'close', 'error'] as const

/** Pulls what a program prints: it is paused while nobody reads. */
class CommandReader implements FileReader {
  readonly extents = undefined
  readonly sizeBytes = 0
  readonly #command: string
  readonly #child: ChildProcess
  readonly #output: Readable
  readonly #ended: Promise<unknown>
  #failure: Error | undefined
  #rest: Buffer | undefined

  constructor(command: string, log: Logger) {
    this.#command = command
    this.#child = spawn('/bin/sh', ['-c', command], { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#output = this.#child.stdout as Readable
    this.#ended = once(this.#child, 'close').catch((error: Error) => {
      this.#failure = error
    })
    this.#child.stderr?.on('data', (text: Buffer) => log.warn(text.toString().trimEnd()))
  }

  async read(into: Uint8Array): Promise<number> {
    for (;;) {
      const piece = this.#rest ?? (this.#output.read() as Buffer | null)
      if (piece !== null) {
        const count = Math.min(piece.length, into.length)
        into.set(piece.subarray(0, count))
        this.#rest = count < piece.length ? piece.subarray(count) : undefined
        return count
      }
      if (this.#output.readableEnded || this.#output.destroyed) return 0
      await this.#moreOrEnd()
    }
  }

  #moreOrEnd(): Promise<void> {
    return new Promise((resolve) => {
      const output = this.#output
      const settle = () => {
        for (const event of wakingEvents) output.off(event, settle)
        resolve()
      }
      for (const event of wakingEvents) output.on(event, settle)
    })
  }

  async close(): Promise<ReadOutcome> {
    if (!this.#output.readableEnded) this.#child.kill('SIGTERM')
    await this.#ended
    const { exitCode, signalCode } = this.#child
    if (this.#failure !== undefined)
      throw new PortError('config', `\`${this.#command}\` cannot be run: ${this.#failure.message}`)
    if (exitCode !== 0) {
      const how = signalCode === null ? `exit code ${exitCode}` : `signal ${signalCode}`
      throw new PortError('config', `\`${this.#command}\` ended with ${how}, so no snapshot was made`)
    }
    return 'stable'
  }
}
