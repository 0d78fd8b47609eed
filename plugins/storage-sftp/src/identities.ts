import { readFileSync } from 'node:fs'
import { type Logger, PortError, type Secret } from '@bkp/plugin-api'
import ssh2, { type AnyAuthMethod, type AuthenticationType, type ParsedKey } from 'ssh2'
import { openAgent } from './agent.js'

export interface IdentitySources {
  readonly user: string
  /** A key that the user named: it has to be usable. */
  readonly privateKey?: string
  /** Keys that may be missing, as ssh looks for them. */
  readonly otherKeys: readonly string[]
  readonly keyPassphrase?: Secret
  readonly password?: Secret
  /** Path of the agent's socket. */
  readonly agent?: string
  /** Of the agent, only keys that are named by a file (`.pub`) are tried. */
  readonly agentKeys: 'all' | 'named'
}

/** One way to log in, made when its turn comes. */
export interface Way {
  /** For the user, e.g. `the key /home/me/.ssh/id_ed25519`. */
  readonly name: string
  /** What the server must offer. */
  readonly kind: AuthenticationType
  readonly method: () => AnyAuthMethod
}

export interface Identities {
  readonly ways: readonly Way[]
  /** Why others are no ways. */
  readonly unusable: readonly string[]
  readonly hint: string | undefined
}

/**
 * All ways to log in, in the order of ssh: a key that was named, the agent, other key files, passwords.
 * @throws PortError `config` when a key that was named cannot be read, `auth` when its passphrase is missing or wrong
 */
export async function findIdentities(sources: IdentitySources, log: Logger): Promise<Identities> {
  const { user: username, privateKey, keyPassphrase, password } = sources
  const ways: Way[] = []
  const unusable: string[] = []
  let hint: string | undefined
  const agent = await openAgent(sources, log)
  if (agent.kind === 'unusable') unusable.push(agent.reason)

  const addKey = (path: string, named: 'named' | 'found') => {
    const key = readKey(path, keyPassphrase)
    if (key.kind === 'missing' && named === 'found') return
    if (key.kind === 'usable') {
      ways.push({
        name: `the key ${path}`,
        kind: 'publickey',
        method: () => ({ type: 'publickey', username, key: key.key }),
      })
      return
    }
    hint ??= key.hint
    // The agent may have the very same key, opened already.
    if (named === 'named' && agent.kind !== 'usable') {
      throw new PortError(key.kind === 'missing' ? 'config' : 'auth', key.reason, withHint(key.hint))
    }
    unusable.push(key.reason)
  }

  if (privateKey !== undefined) addKey(privateKey, 'named')
  if (agent.kind === 'usable') {
    ways.push({
      name: `${agent.count} ${agent.count === 1 ? 'key' : 'keys'} of the agent`,
      kind: 'publickey',
      method: () => ({ type: 'agent', username, agent: agent.agent }),
    })
  }
  for (const path of sources.otherKeys) if (path !== privateKey) addKey(path, 'found')
  if (password !== undefined) ways.push(...passwordWays(username, password))
  return { ways, unusable, hint }
}

function passwordWays(username: string, password: Secret): Way[] {
  return [
    {
      name: 'a password',
      kind: 'password',
      method: () => ({ type: 'password', username, password: password.reveal() }),
    },
    {
      name: 'a password, typed',
      kind: 'keyboard-interactive',
      method: () => ({
        type: 'keyboard-interactive',
        username,
        prompt(_name, _instructions, _language, prompts, finish) {
          // Only to the one hidden question: a second factor is not the password.
          const isPassword = prompts.length === 1 && prompts[0]?.echo !== true
          finish(isPassword ? [password.reveal()] : prompts.map(() => ''))
        },
      }),
    },
  ]
}

type KeyFile =
  | { readonly kind: 'usable'; readonly key: ParsedKey }
  | { readonly kind: 'missing' | 'locked' | 'unknown'; readonly reason: string; readonly hint?: string }

function readKey(path: string, passphrase: Secret | undefined): KeyFile {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const kind = code === 'ENOENT' || code === 'ENOTDIR' ? 'missing' : 'unknown'
    return { kind, reason: `Cannot read the key ${path}: ${message}` }
  }
  const parsed = ssh2.utils.parseKey(bytes, passphrase?.reveal())
  if (!(parsed instanceof Error)) {
    const key = Array.isArray(parsed) ? (parsed as ParsedKey[])[0] : parsed
    if (key?.isPrivateKey()) return { kind: 'usable', key }
    return { kind: 'unknown', reason: `${path} holds no private key`, hint: 'Name the file without .pub' }
  }
  if (/no passphrase given/i.test(parsed.message)) {
    return {
      kind: 'locked',
      reason: `The key ${path} is encrypted, and no passphrase was given`,
      hint: `Set BKP_SFTP_KEY_PASSPHRASE or the option keyPassphrase, or run ssh-add ${path}`,
    }
  }
  if (passphrase !== undefined && /integrity check failed|bad decrypt|decrypt/i.test(parsed.message)) {
    return {
      kind: 'locked',
      reason: `The passphrase does not open the key ${path}`,
      hint: 'Correct BKP_SFTP_KEY_PASSPHRASE or the option keyPassphrase',
    }
  }
  return { kind: 'unknown', reason: `The key ${path} cannot be used: ${parsed.message}` }
}

function withHint(hint: string | undefined): { hint?: string } {
  return hint === undefined ? {} : { hint }
}
