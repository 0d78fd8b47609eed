import { once } from 'node:events'
import { Agent, type IncomingMessage, request } from 'node:http'
import { type ByteRange, PortError } from '@bkp/plugin-api'
import { failureOf } from './failures.js'
import type { RcloneProcess } from './rclone-process.js'

/** What is said when a call fails, and what ends it early. */
export interface Call {
  readonly what: string
  readonly signal?: AbortSignal | undefined
}

type Json = Readonly<Record<string, unknown>>

/** rclone's remote control (https://rclone.org/rc/). node:http, since fetch gives up on answers that take five minutes. */
export class RcloneApi {
  readonly #process: RcloneProcess
  readonly #agent = new Agent({ keepAlive: true })

  constructor(process: RcloneProcess) {
    this.#process = process
  }

  /**
   * Runs a command, e.g. `operations/list`.
   * @throws PortError by what rclone says; the signal's reason
   */
  async run(command: string, parameters: Json, call: Call): Promise<Json> {
    const answer = await this.#ask('POST', command, { 'Content-Type': 'application/json' }, parameters, call)
    const text = await textOf(answer, call)
    if (answer.statusCode === 200) return JSON.parse(text) as Json
    throw failureOf(call.what, messageOf(text))
  }

  /** Begins to read an object, or a range of it (`--rc-serve`). The caller reads the answer to its end, or destroys it. */
  async open(fs: string, key: string, range: ByteRange | undefined, call: Call): Promise<IncomingMessage> {
    const path = `${encodeURIComponent(`[${fs}]`)}/${key}`
    const headers = range === undefined ? {} : { Range: `bytes=${range.offset}-${range.offset + range.length - 1}` }
    const answer = await this.#ask('GET', path, headers, undefined, call)
    if (answer.statusCode === (range === undefined ? 200 : 206)) return answer
    throw failureOf(call.what, messageOf(await textOf(answer, call)))
  }

  close(): void {
    this.#agent.destroy()
  }

  async #ask(method: string, path: string, headers: Record<string, string>, body: Json | undefined, call: Call) {
    const { url, authorization } = this.#process
    call.signal?.throwIfAborted()
    const asking = request(`${url}${path}`, {
      agent: this.#agent,
      method,
      headers: { ...headers, Authorization: authorization },
      ...(call.signal === undefined ? {} : { signal: call.signal }),
    })
    // What breaks later is seen by who reads the answer.
    asking.on('error', () => undefined)
    asking.end(body === undefined ? undefined : JSON.stringify(body))
    try {
      const [answer] = (await once(asking, 'response')) as [IncomingMessage]
      return answer
    } catch (cause) {
      throw brokenOff(call, cause)
    }
  }
}

/** The signal's reason, or that rclone is gone. */
export function brokenOff({ what, signal }: Call, cause: unknown): unknown {
  if (signal?.aborted) return signal.reason
  return new PortError('transient', `${what}: the connection to rclone broke`, { cause })
}

async function textOf(answer: IncomingMessage, call: Call): Promise<string> {
  let text = ''
  try {
    for await (const piece of answer.setEncoding('utf8')) text += piece
  } catch (cause) {
    throw brokenOff(call, cause)
  }
  return text
}

/** Failures are JSON with the field `error`, and the parameters beside it, which are left out. */
function messageOf(text: string): string {
  try {
    return String((JSON.parse(text) as Json).error)
  } catch {
    return text.trim()
  }
}
