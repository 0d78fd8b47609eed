import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from './servers.js'

export interface OpenSshOptions {
  /** Arguments of `internal-sftp`, e.g. `-R` for a server that only reads. */
  readonly sftpArguments?: string
  /** Lines for sshd_config, which win over the ones of this file. */
  readonly lines?: readonly string[]
}

/** A real OpenSSH server of its own on loopback, which lets the user of the test in by `privateKey`. */
export interface OpenSsh {
  readonly port: number
  readonly user: string
  /** Everything below is the test's own; it is removed at the end. */
  readonly folder: string
  readonly privateKey: string
  /** Holds the key of the server. */
  readonly knownHosts: string
  /** Public keys that may log in, one per line. */
  readonly authorizedKeys: string
  /** A file of the public key of the server. */
  readonly hostKey: string
  url(path: string): string
  /** Ends the server and all its connections, at once. */
  kill(): Promise<void>
  /** Starts it again on the same port. */
  restart(): Promise<void>
  /** What the server wrote, for diagnosis. */
  log(): string
  stop(): Promise<void>
}

export async function startOpenSsh(options: OpenSshOptions = {}): Promise<OpenSsh> {
  // sshd refuses to start without it; Debian makes it when its service starts.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 })
  const folder = mkdtempSync(join(tmpdir(), 'bkp-sshd-'))
  chmodSync(folder, 0o755)
  const at = (name: string) => join(folder, name)
  const port = await freePort()
  makeKey(at('host_key'))
  makeKey(at('id'))
  writeFileSync(at('authorized_keys'), readFileSync(at('id.pub')))
  writeFileSync(at('known_hosts'), `[127.0.0.1]:${port} ${readFileSync(at('host_key.pub'), 'utf8')}`)
  writeFileSync(at('sshd_config'), configuration(folder, port, options))
  appendFileSync(at('sshd.log'), '')

  let running = await startDaemon(folder, port)
  const kill = async () => {
    await running.kill()
  }
  return {
    port,
    user: userInfo().username,
    folder,
    privateKey: at('id'),
    knownHosts: at('known_hosts'),
    authorizedKeys: at('authorized_keys'),
    hostKey: at('host_key.pub'),
    url: (path) => `sftp://${userInfo().username}@127.0.0.1:${port}${path}`,
    kill,
    async restart() {
      await kill()
      running = await startDaemon(folder, port)
    },
    log: () => readFileSync(at('sshd.log'), 'utf8'),
    async stop() {
      await kill()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Makes a key pair, the public half in a file that ends with `.pub`. */
export function makeKey(path: string, passphrase = '', type = 'ed25519'): void {
  execFileSync('ssh-keygen', ['-q', '-t', type, '-N', passphrase, '-C', 'bkp-test', '-f', path])
}

function configuration(folder: string, port: number, { sftpArguments = '', lines = [] }: OpenSshOptions): string {
  return [
    ...lines,
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${join(folder, 'host_key')}`,
    'PidFile none',
    `AuthorizedKeysFile ${join(folder, 'authorized_keys')}`,
    'StrictModes no',
    'UsePAM no',
    'PermitRootLogin yes',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'LogLevel VERBOSE',
    `Subsystem sftp internal-sftp ${sftpArguments}`,
    '',
  ].join('\n')
}

interface Daemon {
  kill(): Promise<void>
}

async function startDaemon(folder: string, port: number): Promise<Daemon> {
  const log = join(folder, 'sshd.log')
  // A group of its own: connections are served by children, which outlive the daemon.
  const child = spawn('/usr/sbin/sshd', ['-D', '-f', join(folder, 'sshd_config'), '-E', log], {
    stdio: 'ignore',
    detached: true,
  })
  const ended = once(child, 'exit')
  const killGroup = () => {
    if (child.pid === undefined) return
    for (const pid of [...descendantsOf(child.pid), child.pid]) killIfThere(pid)
  }
  // Also when the test process ends by an error.
  process.once('exit', killGroup)
  for (let attempt = 0; !(await answers(port)); attempt++) {
    if (child.exitCode !== null || attempt > 200) throw new Error(`sshd did not start:\n${readFileSync(log, 'utf8')}`)
    await sleep(25)
  }
  return {
    async kill() {
      process.off('exit', killGroup)
      if (child.exitCode !== null || child.signalCode !== null) return
      killGroup()
      await ended
    },
  }
}

/** Sessions put themselves into groups of their own, so they are found by their parents. */
function descendantsOf(pid: number): number[] {
  const listed = execFileSync('ps', ['-e', '-o', 'pid=,ppid='], { encoding: 'utf8' })
  const pairs = listed
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
  const below = (parent: number): number[] =>
    pairs.filter(([, of]) => of === parent).flatMap(([child = 0]) => [child, ...below(child)])
  return below(pid)
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('data', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
