import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from './servers.js'

/** A web server of this test, on loopback. */
export interface WebServer {
  readonly port: number
  /** What it serves, on this machine. */
  readonly documents: string
  /** Ends it with all its processes at once, as a power cut does. Connections break. */
  kill(): Promise<void>
  /** Starts it again after `kill`, on the same port with the same documents. */
  restart(): Promise<void>
  /** Ends it and removes its files. */
  stop(): Promise<void>
}

export interface WebServerProgram {
  readonly program: string
  readonly argumentsFor: (configuration: string) => readonly string[]
  readonly configurationFor: (place: {
    readonly home: string
    readonly port: number
    readonly documents: string
  }) => string
  /** What to serve, instead of a folder of its own. */
  readonly documents?: string | undefined
}

/** Starts a web server that stays in the foreground. */
export async function startWebServer(server: WebServerProgram): Promise<WebServer> {
  const home = mkdtempSync(join(tmpdir(), 'bkp-web-'))
  const documents = server.documents ?? join(home, 'documents')
  for (const folder of [documents, join(home, 'state')]) {
    mkdirSync(folder, { recursive: true })
    // The server gives up root's rights.
    chmodSync(folder, 0o777)
  }
  chmodSync(home, 0o755)
  const port = await freePort()
  const configuration = join(home, 'server.conf')
  writeFileSync(configuration, server.configurationFor({ home, port, documents }))
  const start = () => startProcess(server.program, server.argumentsFor(configuration), port)
  let running = await start()
  const kill = () => running.kill()
  return {
    port,
    documents,
    kill,
    async restart() {
      running = await start()
    },
    async stop() {
      await kill()
      rmSync(home, { recursive: true, force: true })
    },
  }
}

async function startProcess(
  program: string,
  args: readonly string[],
  port: number,
): Promise<{ kill(): Promise<void> }> {
  // A group of its own, so that all its processes can be ended.
  const child = spawn(program, args, { detached: true, stdio: ['ignore', 'ignore', 'pipe'] })
  const closed = once(child, 'close')
  const killGroup = () => killAll(child)
  process.once('exit', killGroup)
  let said = ''
  child.stderr.on('data', (text) => {
    said += text
  })
  while (!(await isListening(port))) {
    if (child.exitCode !== null) throw new Error(`${program} does not start: ${said}`)
    await sleep(20)
  }
  return {
    async kill() {
      process.off('exit', killGroup)
      killGroup()
      await closed
    },
  }
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    const end = (isThere: boolean) => {
      socket.destroy()
      resolve(isThere)
    }
    socket.once('connect', () => end(true)).once('error', () => end(false))
  })
}

function killAll({ pid }: ChildProcess): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
