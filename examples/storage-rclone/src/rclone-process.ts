import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Logger, PortError, type Secret } from '@bkp/plugin-api'
import { failureOf, withoutSecrets } from './failures.js'

export interface RcloneOptions {
  readonly program: string
  readonly config: string | undefined
  readonly configPassword: Secret | undefined
}

/** An `rclone rcd` of our own: it listens on loopback, for who knows the password. */
export interface RcloneProcess {
  readonly url: string
  readonly authorization: string
  /** A folder through which files go to rclone; removed with the process. */
  readonly folder: string
  close(): Promise<void>
}

// rclone does not notice that its parent died. The shell leaves a watch behind before it becomes rclone: `cat` reads what
// nobody writes, and comes to the end when we close the pipe, or when the system does, because we were killed.
const watched = `folder=$1; shift; exec 3<&0 </dev/null
{ cat <&3; kill "$$"; rm -rf "$folder"; } >/dev/null 2>&1 &
exec "$@" 3<&-`

const flags = ['--rc-addr=127.0.0.1:0', '--rc-serve', '--ask-password=false', '--log-file=', '--log-level=NOTICE']
// Whoever calls a storage repeats what fails.
const onlyOnce = '--low-level-retries=1'
// Secrets of bkp are none of rclone's business, and these would change where and how it tells its address.
const notForRclone = /^(BKP_|RCLONE_(LOG|VERBOSE|QUIET|USE_JSON_LOG|RC))/

/** @throws PortError `unsupported` when there is no rclone, `config` when it does not start */
export async function startRclone(options: RcloneOptions, log: Logger): Promise<RcloneProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'bkp-rclone-'))
  const password = randomBytes(24).toString('base64url')
  const inherited = Object.entries(process.env).filter(([name]) => !notForRclone.test(name))
  const child = spawn('/bin/sh', ['-c', watched, 'sh', folder, options.program, 'rcd', ...flags, onlyOnce], {
    // Not in our process group: Ctrl-C is for bkp, which still has something to say to the storage.
    detached: true,
    stdio: ['pipe', 'ignore', 'pipe'],
    env: {
      ...Object.fromEntries(inherited),
      // By the environment, since everybody can see the arguments of a process.
      RCLONE_RC_USER: 'bkp',
      RCLONE_RC_PASS: password,
      ...(options.config === undefined ? {} : { RCLONE_CONFIG: options.config }),
      ...(options.configPassword === undefined ? {} : { RCLONE_CONFIG_PASS: options.configPassword.reveal() }),
    },
  })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  try {
    return {
      url: await addressOf(child, options.program, log),
      authorization: `Basic ${Buffer.from(`bkp:${password}`).toString('base64')}`,
      folder,
      async close() {
        child.stdin?.destroy()
        await ended
        await rm(folder, { recursive: true, force: true })
      },
    }
  } catch (error) {
    child.stdin?.destroy()
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}

/** Waits until rclone tells where it listens; what it says later goes to the log. */
function addressOf(child: ChildProcess, program: string, log: Logger): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = ''
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      log.debug(`rclone: ${withoutSecrets(text.trimEnd())}`)
      said = (said + text).slice(-2000)
      const [, address] = /remote control on (http:\/\/\S+)/.exec(said) ?? []
      if (address !== undefined) resolve(address)
    })
    child.once('error', () => reject(missing(program)))
    child.once('close', (code) => reject(code === 126 || code === 127 ? missing(program) : broken(said)))
  })
}

function missing(program: string): PortError {
  return new PortError('unsupported', `The program ${program} cannot be run, and rclone: URLs need it`, {
    hint: 'Install rclone (apt-get install rclone, brew install rclone), or name its place with the option "program"',
  })
}

function broken(said: string): PortError {
  const { message } = failureOf('rclone does not start', said.trim())
  return new PortError('config', message, { hint: 'Try it in a shell: rclone rcd --rc-no-auth' })
}
