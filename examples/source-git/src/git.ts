import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { dirname } from 'node:path'
import { PortError, type PortErrorCode } from '@bkp/plugin-api'

/** How a git ended, and what it said. */
export interface Ending {
  readonly code: number | null
  readonly messages: string
}

export interface RunningGit {
  readonly child: ChildProcessWithoutNullStreams
  /** @throws PortError `unsupported` when there is no git */
  readonly ended: Promise<Ending>
}

/** Starts git in a repository, with none of the variables that would lead it to another one. */
export function startGit(repository: string, args: readonly string[]): RunningGit {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_'))
  const child = spawn('git', ['-C', repository, ...args], {
    env: {
      ...Object.fromEntries(inherited),
      LC_ALL: 'C',
      // It is this folder or none: not a repository that it happens to lie in.
      GIT_CEILING_DIRECTORIES: dirname(repository),
    },
  })
  let messages = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    messages = (messages + text).slice(-2000)
  })
  // Whoever ends early closes its input: how it ended says more.
  child.stdin.on('error', () => undefined)
  const ended = new Promise<Ending>((resolve, reject) => {
    child.once('close', (code) => resolve({ code, messages: messages.trim() }))
    child.once('error', (cause) => reject(notStarted(cause)))
  })
  // Looked at when all is read, or not at all.
  ended.catch(() => undefined)
  return { child, ended }
}

/**
 * What a short command prints.
 * @throws PortError
 */
export async function outputOf(repository: string, args: readonly string[]): Promise<string> {
  const { child, ended } = startGit(repository, args)
  child.stdin.end()
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    text += piece
  })
  const ending = await ended
  if (ending.code !== 0) throw failureOf(repository, ending)
  return text
}

const meanings: readonly (readonly [RegExp, PortErrorCode, string | undefined])[] = [
  [/not a git repository|cannot change to/i, 'not-found', 'Give the folder that holds .git, or the bare repository'],
  [/dubious ownership/i, 'forbidden', 'Trust it: git config --global --add safe.directory PATH'],
  [/permission denied/i, 'forbidden', undefined],
]

export function failureOf(repository: string, { code, messages }: Ending): PortError {
  const [, meaning, hint] = meanings.find(([words]) => words.test(messages)) ?? [undefined, 'corrupt', 'Try: git fsck']
  const text = `git cannot read ${repository} (exit code ${code}): ${messages}`
  return new PortError(meaning as PortErrorCode, text, hint === undefined ? {} : { hint })
}

function notStarted(cause: Error): PortError {
  return new PortError('unsupported', `git cannot be run: ${cause.message}`, { cause, hint: 'Install git' })
}
