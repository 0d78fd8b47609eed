import { type ChildProcess, spawn } from 'node:child_process'

/** How a program ended, and the end of what it printed. */
export type Ended = { readonly output: string } & (
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'killed'; readonly signal: string }
  | { readonly kind: 'not-started' }
)

const keptCharacters = 4_000
const killAfterMs = 2_000
const lastWordsMs = 500

/**
 * Runs a command by the system's shell, in a process group of its own: Ctrl-C is not to end what tells of it.
 * @throws the signal's reason once the program and what it started have been ended
 */
export function runProgram(
  command: string,
  input: string,
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const child = spawn(command, { shell: true, detached: true, env: environment, stdio: ['pipe', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        output = (output + text).slice(-keptCharacters)
      })
    // A program need not read the message.
    child.stdin.on('error', () => undefined)
    child.stdin.end(input)
    let killing: NodeJS.Timeout | undefined
    let lastWords: NodeJS.Timeout | undefined
    const abort = () => {
      endGroup(child, 'SIGTERM')
      killing = setTimeout(() => endGroup(child, 'SIGKILL'), killAfterMs)
    }
    signal.addEventListener('abort', abort, { once: true })
    const settle = (ended: Ended) => {
      clearTimeout(killing)
      clearTimeout(lastWords)
      signal.removeEventListener('abort', abort)
      // What it left running in the background may hold them open.
      child.stdout.destroy()
      child.stderr.destroy()
      if (signal.aborted) reject(signal.reason)
      else resolve(ended)
    }
    child.once('error', (error) => settle({ kind: 'not-started', output: error.message }))
    child.once('exit', (code, by) => {
      const ended = () =>
        settle(code === null ? { kind: 'killed', signal: String(by), output } : { kind: 'exited', code, output })
      // Its last words may still be in the pipes, and something in the background may hold these open for ever.
      child.once('close', ended)
      lastWords = setTimeout(ended, lastWordsMs)
    })
  })
}

function endGroup({ pid }: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (pid === undefined) return
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, signal)
  } catch (error) {
    // It may just have ended.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
