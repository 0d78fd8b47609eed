import { appendFileSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { type Logger, PortError } from '@bkp/plugin-api'
import {
  fingerprintOf,
  judgeHostKey,
  type KnownHost,
  keyTypeOf,
  knownHostLine,
  knownHostName,
  parseKnownHosts,
  preferredHostKeyAlgorithms,
} from './known-hosts.js'

export interface HostKeyPolicy {
  /** Under which the keys of the host are known: its name, or HostKeyAlias of the ssh configuration. */
  readonly name: string
  readonly port: number
  /** Files in the format of known_hosts; new keys go to the first. */
  readonly files: readonly string[]
  /** `SHA256:…`; when it is given, no file is asked. */
  readonly pinned?: string
  readonly newKeys: 'accept' | 'ask'
  readonly naming: 'plain' | 'hashed'
  /** The option `hostKey` is the destination's alone. */
  readonly canBePinned: boolean
}

/** A host of which no key is known. The user may be asked whether it is the right one. */
export interface UnknownHostKey {
  readonly kind: 'unknown'
  readonly key: Buffer
  readonly fingerprint: string
}

export type HostKeyAnswer = { readonly kind: 'trusted' } | UnknownHostKey | { kind: 'refused'; error: PortError }

/** Decides whether a server is the one that it should be. */
export class HostKeys {
  readonly #policy: HostKeyPolicy
  readonly #log: Logger
  /** Accepted in this run, in case the file cannot be written. */
  readonly #accepted = new Set<string>()

  constructor(policy: HostKeyPolicy, log: Logger) {
    this.#policy = policy
    this.#log = log
  }

  /** In the order in which they are asked for. @throws PortError `config` when a file cannot be read */
  algorithms(): string[] {
    const { name, port, pinned } = this.#policy
    return preferredHostKeyAlgorithms(pinned === undefined ? this.#known() : [], name, port)
  }

  judge(key: Buffer): HostKeyAnswer {
    const { name, port, pinned } = this.#policy
    const fingerprint = fingerprintOf(key)
    const shown = `${keyTypeOf(key)} ${fingerprint}`
    const host = knownHostName(name, port)
    if (pinned !== undefined) {
      if (withPrefix(pinned) === fingerprint) return { kind: 'trusted' }
      return refused(`The key of ${host} is ${shown}, and not ${withPrefix(pinned)} as the option hostKey says`, {
        hint: `Somebody may stand between you and the server. Only if you know that its key was changed: hostKey=${fingerprint}`,
      })
    }
    const verdict = judgeHostKey(this.#known(), name, port, key)
    if (verdict.kind === 'known') return { kind: 'trusted' }
    if (verdict.kind === 'revoked') {
      return refused(`The key of ${host}, ${shown}, is revoked by ${placeOf(verdict.known)}`, {
        hint: 'Do not use this server until its owner has given it another key',
      })
    }
    if (verdict.kind === 'changed') {
      return refused(`The key of ${host} has changed: it is ${shown}, and not the one of ${placeOf(verdict.known)}`, {
        hint: `Somebody may stand between you and the server. Only if you know that its key was changed: ssh-keygen -R '${host}' -f ${verdict.known.file}`,
      })
    }
    if (this.#accepted.has(fingerprint)) return { kind: 'trusted' }
    if (this.#policy.newKeys === 'ask') return { kind: 'unknown', key, fingerprint }
    this.accept(key)
    return { kind: 'trusted' }
  }

  question({ key, fingerprint }: UnknownHostKey): string {
    const host = knownHostName(this.#policy.name, this.#policy.port)
    return `The server ${host} is not known yet. Its key is ${keyTypeOf(key)} ${fingerprint}. Is this the right server?`
  }

  /** What is said where nobody can be asked, or to the answer no. */
  unknown({ key, fingerprint }: UnknownHostKey): PortError {
    const { name, port, files, canBePinned } = this.#policy
    const host = knownHostName(name, port)
    const pin = canBePinned ? `, or set hostKey=${fingerprint}` : ''
    return new PortError(
      'config',
      `The server ${host} is not known: its key, ${keyTypeOf(key)} ${fingerprint}, is not in ${files.join(', ')}`,
      { hint: `Compare the fingerprint with the server's, then log in once by ssh${pin}` },
    )
  }

  /** Trusts a key from now on, and writes it down for later runs. */
  accept(key: Buffer): void {
    const { name, port, files, naming } = this.#policy
    this.#accepted.add(fingerprintOf(key))
    const [file] = files
    if (file === undefined) return
    try {
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
      const text = readIfThere(file)
      const start = text === '' || text.endsWith('\n') ? '' : '\n'
      // One write at the end of the file: it cannot tear what ssh adds at the same time, and a file that is a link stays one.
      appendFileSync(file, `${start}${knownHostLine(name, port, key, naming)}\n`, { mode: 0o600 })
    } catch (error) {
      this.#log.warn(`Cannot add the key of ${knownHostName(name, port)} to ${file}: ${(error as Error).message}`)
    }
  }

  #known(): KnownHost[] {
    return this.#policy.files.flatMap((file) => {
      try {
        return parseKnownHosts(readIfThere(file), file)
      } catch (error) {
        throw new PortError('config', `Cannot read ${file}: ${(error as Error).message}`, { cause: error })
      }
    })
  }
}

function withPrefix(fingerprint: string): string {
  const bare = fingerprint.replace(/^SHA256:/i, '').replace(/=+$/, '')
  return `SHA256:${bare}`
}

function placeOf({ file, line }: KnownHost): string {
  return `line ${line} of ${file}`
}

function refused(message: string, options: { hint: string }): HostKeyAnswer {
  return { kind: 'refused', error: new PortError('config', message, options) }
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return ''
    throw error
  }
}
