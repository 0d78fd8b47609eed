import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export interface ScriptedServer {
  /** Resolves when the server and all that it started have ended. */
  stop(): Promise<void>
}

/**
 * Starts a server by a script of this folder, which says "ready" when it answers, and ends it when its input ends: with this
 * process at the latest.
 */
export async function startByScript(
  name: `${string}.${'sh' | 'py'}`,
  args: readonly string[],
): Promise<ScriptedServer> {
  const script = fileURLToPath(new URL(`./${name}`, import.meta.url))
  const child = spawn(script, args, { stdio: ['pipe', 'pipe', 'pipe'] })
  const ended = once(child, 'close')
  let said = ''
  const ready = new Promise<void>((resolve) => {
    child.stdout.on('data', (text) => {
      said += text
      if (said.includes('ready')) resolve()
    })
  })
  child.stderr.on('data', (text) => {
    said += text
  })
  await Promise.race([
    ready,
    ended.then(([code]) => {
      throw new Error(`${name} did not start (exit code ${code}): ${said}`)
    }),
  ])
  return {
    async stop() {
      child.stdin.end()
      await ended
    },
  }
}
