import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface, type Interface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { ApplicationKey } from './application-keys.js'
import type { B2StandIn, B2StandInOptions } from './index.js'

type Commands =
  | 'createBucket'
  | 'createKey'
  | 'deleteKey'
  | 'failNext'
  | 'expireTokens'
  | 'expireUploadUrls'
  | 'advance'
  | 'setCaps'
  | 'callsOf'
  | 'names'
  | 'flipBit'
  | 'drop'
  | 'unfinished'

/** A stand-in in another process, for tests that block their own, e.g. while they wait for the command line. */
export interface B2StandInProcess extends ApplicationKey {
  readonly realmUrl: string
  readonly bucket: string
  /** As the method of this name of {@link B2StandIn}. */
  tell<C extends Commands>(command: C, ...args: Parameters<B2StandIn[C]>): Promise<ReturnType<B2StandIn[C]>>
  close(): Promise<void>
}

/** @throws when it does not start */
export async function startB2StandInProcess(options: B2StandInOptions = {}): Promise<B2StandInProcess> {
  const main = fileURLToPath(new URL('./main.mjs', import.meta.url))
  const child = spawn(process.execPath, [main, JSON.stringify(options)], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })
  const told = (await nextLine(lines, child)) as ApplicationKey & { realmUrl: string; bucket: string }
  let turn: Promise<unknown> = Promise.resolve()
  return {
    ...told,
    tell(command, ...args) {
      const answer = turn.then(async () => {
        child.stdin.write(`${JSON.stringify({ do: command, with: args })}\n`)
        const { result, error } = (await nextLine(lines, child)) as { result?: unknown; error?: string }
        if (error !== undefined) throw new Error(error)
        return result as ReturnType<B2StandIn[typeof command]>
      })
      turn = answer.catch(() => undefined)
      return answer
    },
    async close() {
      const ended = once(child, 'exit')
      child.stdin.end()
      await ended
    },
  }
}

async function nextLine(lines: Interface, child: ChildProcess): Promise<unknown> {
  const stopping = new AbortController()
  const { signal } = stopping
  try {
    const ended = once(child, 'exit', { signal }).then(() => {
      throw new Error('The stand-in of B2 has ended')
    })
    const [line] = (await Promise.race([once(lines, 'line', { signal }), ended])) as [string]
    return JSON.parse(line)
  } finally {
    stopping.abort()
  }
}
