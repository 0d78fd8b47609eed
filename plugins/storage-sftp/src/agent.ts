import { readFileSync } from 'node:fs'
import type { Logger } from '@bkp/plugin-api'
import ssh2, { type BaseAgent, type IdentityCallback, type ParsedKey } from 'ssh2'
import type { IdentitySources } from './identities.js'

export type AgentAccess =
  | { readonly kind: 'none' }
  | { readonly kind: 'unusable'; readonly reason: string }
  | { readonly kind: 'usable'; readonly agent: BaseAgent; readonly count: number }

/**
 * Asks the agent for its keys before the server is: ssh2 would take an agent that is gone for the end, where ssh goes on
 * with key files.
 */
export async function openAgent(sources: IdentitySources, log: Logger): Promise<AgentAccess> {
  const { agent: path } = sources
  if (path === undefined) return { kind: 'none' }
  const agent = new ssh2.OpenSSHAgent(path)
  let keys: ParsedKey[]
  try {
    keys = await new Promise<ParsedKey[]>((resolve, reject) => {
      agent.getIdentities((error, found) => (error ? reject(error) : resolve((found ?? []) as ParsedKey[])))
    })
  } catch (error) {
    log.debug('The agent does not answer', { agent: path, reason: (error as Error).message })
    return { kind: 'unusable', reason: `The agent at ${path} does not answer` }
  }
  const wanted = sources.agentKeys === 'all' ? keys : keys.filter((key) => isNamed(key, sources))
  if (wanted.length === 0) return { kind: 'unusable', reason: `The agent at ${path} has no key for this server` }
  return { kind: 'usable', agent: new AgentWithKeys(path, wanted) as BaseAgent, count: wanted.length }
}

function isNamed(key: ParsedKey, { privateKey, otherKeys }: IdentitySources): boolean {
  const files = privateKey === undefined ? otherKeys : [privateKey, ...otherKeys]
  return files.some((file) => {
    const named = readPublicKey(`${file}.pub`)
    return named !== undefined && key.getPublicSSH().equals(named.getPublicSSH())
  })
}

function readPublicKey(path: string): ParsedKey | undefined {
  try {
    const parsed = ssh2.utils.parseKey(readFileSync(path))
    return parsed instanceof Error ? undefined : parsed
  } catch {
    // Without a public half beside it, a key file cannot tell which key of the agent it is.
    return undefined
  }
}

/** Offers some of the keys of an agent. */
class AgentWithKeys extends ssh2.OpenSSHAgent {
  readonly #keys: ParsedKey[]

  constructor(path: string, keys: ParsedKey[]) {
    super(path)
    this.#keys = keys
  }

  override getIdentities(callback: IdentityCallback<ParsedKey>): void {
    callback(undefined, this.#keys)
  }
}
