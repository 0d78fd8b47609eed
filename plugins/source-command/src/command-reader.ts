import { type ChildProcess, spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { type FileReader, type Logger, PortError, type ReadOutcome } from '@bkp/plugin-api'
import { environmentOf } from './environment.js'
import { Lines } from './lines.js'
import { StreamReader } from './stream-reader.js'

/** How long a program may take to end once it was asked to, and its last messages to arrive once it has ended. */
export interface Patience {
  readonly killAfterMs: number
  readonly messagesMs: number
}

const patience: Patience = { killAfterMs: 5000, messagesMs: 1000 }

/** How a program ended. */
type Ending =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'killed'; readonly signal: string }
  | { readonly kind: 'not-started'; readonly cause: Error }

/**
 * Runs a command with `/bin/sh -c` and reads what it prints; it waits while nobody reads. Its messages (stderr) go to
 * the log, line by line.
 */
export class CommandReader implements FileReader {
  readonly extents = undefined
  readonly sizeBytes = 0
  readonly #command: string
  readonly #child: ChildProcess
  readonly #content: StreamReader
  readonly #ending: Promise<Ending>
  readonly #messages: Promise<void>
  readonly #patience: Patience

  constructor(command: string, log: Logger, limits: Patience = patience) {
    this.#command = command
    this.#patience = limits
    // In our process group and session: Ctrl-C reaches it, and ssh and sudo can ask for a password on the terminal.
    const child = spawn('/bin/sh', ['-c', command], { env: environmentOf(), stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child = child
    this.#content = new StreamReader(child.stdout)
    this.#ending = endingOf(child)
    this.#messages = forward(child.stderr, log)
  }

  read(into: Uint8Array): Promise<number> {
    return this.#content.read(into)
  }

  /**
   * Before the end of the content: ends the program, and what was read is `changed`. The parts of a pipeline end when
   * they write to what is closed now.
   * @throws PortError `config` if the program failed by itself: what it printed is not to be trusted
   */
  async close(): Promise<ReadOutcome> {
    const { isAtEnd } = this.#content
    const outcome = this.#content.close()
    const ending = isAtEnd ? await this.#ending : await this.#end()
    await Promise.race([this.#messages, sleep(this.#patience.messagesMs)])
    // Something that was left running in the background may hold it open for ever.
    this.#child.stderr?.destroy()
    if (isAtEnd || ending.kind === 'not-started') this.#expectSuccess(ending)
    return outcome
  }

  async #end(): Promise<Ending> {
    this.#child.kill('SIGTERM')
    const ended = await Promise.race([this.#ending, sleep(this.#patience.killAfterMs)])
    if (ended !== undefined) return ended
    this.#child.kill('SIGKILL')
    return this.#ending
  }

  #expectSuccess(ending: Ending): void {
    const command = `\`${withoutPasswords(this.#command)}\``
    if (ending.kind === 'not-started')
      throw new PortError('config', `${command} cannot be run: ${ending.cause.message}`, { cause: ending.cause })
    const how = ending.kind === 'exited' ? `exit code ${ending.code}` : `signal ${ending.signal}`
    if (how === 'exit code 0') return
    throw new PortError('config', `${command} ended with ${how}, so no snapshot was made`, {
      hint: 'What it wrote to its standard error is in the log. Try the command in a shell',
    })
  }
}

function endingOf(child: ChildProcess): Promise<Ending> {
  return new Promise((resolve) => {
    child.once('error', (cause) => resolve({ kind: 'not-started', cause }))
    child.once('exit', (code, signal) =>
      resolve(code === null ? { kind: 'killed', signal: String(signal) } : { kind: 'exited', code }),
    )
  })
}

function forward(messages: Readable, log: Logger): Promise<void> {
  const lines = new Lines((line) => log.warn(line))
  return new Promise((resolve) => {
    messages.on('data', (bytes: Buffer) => lines.push(bytes))
    messages.once('close', () => {
      lines.end()
      resolve()
    })
  })
}

/** Passwords in URLs, as database tools take them. */
function withoutPasswords(command: string): string {
  return command.replace(/(\/\/[^\s:/@]*):[^\s/@]+@/g, '$1:***@')
}
