/** Standard output was closed by its reader (`bkp ls | head`): a reason to stop, not a failure. */
export class OutputClosed extends Error {
  override readonly name = 'OutputClosed'
}

/** Standard output or standard error. */
export interface Output {
  /** Whether a person reads it: live lines and colours only then. */
  readonly isTerminal: boolean
  readonly hasColours: boolean
  /** The stream itself, for libraries that draw. */
  readonly stream: NodeJS.WritableStream
  /**
   * Resolves when the system took the bytes, so that a slow reader slows the writer.
   * @throws OutputClosed when nobody reads any more; the system's error when the disk behind it is full
   */
  write(data: string | Uint8Array): Promise<void>
}

/** The world around one command line. */
export interface Terminal {
  /** May be changed: secrets are taken out once they are read, so that child programs do not inherit them. */
  readonly env: Record<string, string | undefined>
  /** Whether there is somebody to ask. */
  readonly canAsk: boolean
  readonly stdout: Output
  readonly stderr: Output
  exitCode: number | undefined
  /** Calls `listener` at the first SIGINT or SIGTERM; the next one ends the process. Returns what undoes it. */
  onInterrupt(listener: (signal: string) => void): () => void
}

const interruptedExitCode = 130

/** The process that we are. */
export function processTerminal(): Terminal {
  return {
    env: process.env,
    canAsk: process.stdin.isTTY === true,
    stdout: outputTo(process.stdout),
    stderr: outputTo(process.stderr),
    get exitCode() {
      return typeof process.exitCode === 'number' ? process.exitCode : undefined
    },
    set exitCode(code: number | undefined) {
      process.exitCode = code
    },
    onInterrupt,
  }
}

function outputTo(stream: NodeJS.WriteStream): Output {
  // Every failed write rejects on its own. oclif's listener would end the process on a full disk, and so would none.
  stream.removeAllListeners('error')
  stream.on('error', () => undefined)
  const isTerminal = stream.isTTY === true
  return {
    isTerminal,
    hasColours: isTerminal && (process.env.NO_COLOR ?? '') === '' && process.env.TERM !== 'dumb',
    stream,
    write: (data) =>
      new Promise((resolve, reject) => {
        stream.write(data, (error) => {
          if (!error) resolve()
          else reject(isClosed(error) ? new OutputClosed('Nobody reads the output any more') : error)
        })
      }),
  }
}

function isClosed(error: NodeJS.ErrnoException): boolean {
  return error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED'
}

function onInterrupt(listener: (signal: string) => void): () => void {
  const signals = ['SIGINT', 'SIGTERM'] as const
  let isFirst = true
  const handle = (signal: string) => {
    if (!isFirst) process.exit(interruptedExitCode)
    isFirst = false
    listener(signal)
  }
  for (const signal of signals) process.on(signal, handle)
  return () => {
    for (const signal of signals) process.off(signal, handle)
  }
}
