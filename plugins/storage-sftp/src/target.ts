import { homedir, userInfo } from 'node:os'
import { join } from 'node:path'
import type { HostKeyPolicy } from './host-keys.js'
import type { IdentitySources } from './identities.js'
import type { Folder, Location } from './location.js'
import type { SftpOptions } from './options.js'
import { expandHome, type HostSettings } from './ssh-config.js'

/** Everything that is needed to connect to a server: URL, options and the ssh configuration, in this order of rank. */
export interface Target {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly folder: Folder
  readonly identities: IdentitySources
  readonly hostKeys: HostKeyPolicy
  readonly connectTimeoutMs: number
  readonly deadAfterMs: number
}

export interface Surroundings {
  readonly home: string
  readonly user: string
  readonly agent: string | undefined
}

export function surroundings(env: NodeJS.ProcessEnv): Surroundings {
  return { home: homedir(), user: userInfo().username, agent: env.SSH_AUTH_SOCK }
}

/** The server of the destination. */
export function toTarget(location: Location, options: SftpOptions, host: HostSettings, around: Surroundings): Target {
  const port = location.port ?? host.port ?? 22
  const user = location.user ?? host.user ?? around.user
  const agent = options.agent ?? host.identityAgent ?? around.agent
  const ssh = join(around.home, '.ssh')
  const usual = ['id_ed25519', 'id_ecdsa', 'id_rsa'].map((name) => join(ssh, name))
  const files = ['known_hosts', 'known_hosts2'].map((name) => join(ssh, name))
  const own = host.knownHostsFiles.length > 0 ? host.knownHostsFiles : files
  return {
    host: host.hostName,
    port,
    user,
    folder: location.folder,
    identities: {
      user,
      ...(options.privateKey === undefined ? {} : { privateKey: expandHome(options.privateKey) }),
      otherKeys: host.identityFiles.length > 0 ? host.identityFiles : options.privateKey === undefined ? usual : [],
      ...(options.keyPassphrase === undefined ? {} : { keyPassphrase: options.keyPassphrase }),
      ...(options.password === undefined ? {} : { password: options.password }),
      ...(agent === undefined || agent === '' || agent === 'none' ? {} : { agent: expandHome(agent) }),
      agentKeys: host.identitiesOnly ? 'named' : 'all',
    },
    hostKeys: {
      name: host.hostKeyAlias ?? host.hostName,
      port: host.hostKeyAlias === undefined ? port : 22,
      files:
        options.knownHosts === undefined
          ? [...own, '/etc/ssh/ssh_known_hosts', '/etc/ssh/ssh_known_hosts2']
          : [expandHome(options.knownHosts)],
      ...(options.hostKey === undefined ? {} : { pinned: options.hostKey }),
      newKeys: options.acceptNewHostKey || host.acceptsNewHostKey ? 'accept' : 'ask',
      naming: host.hashesKnownHosts ? 'hashed' : 'plain',
      canBePinned: true,
    },
    connectTimeoutMs: options.connectTimeoutMs,
    deadAfterMs: options.deadAfterMs,
  }
}

/**
 * A server on the way. Password, pinned key and key file of the destination are not its own; the key file is tried last,
 * which tells a server no more than its public half.
 */
export function toJumpTarget(
  place: Omit<Location, 'folder'>,
  { privateKey, password: _password, hostKey: _hostKey, ...options }: SftpOptions,
  host: HostSettings,
  around: Surroundings,
): Target {
  const target = toTarget({ ...place, folder: { from: 'login', path: '' } }, options, host, around)
  const { identities, hostKeys } = target
  const otherKeys = [...identities.otherKeys, ...(privateKey === undefined ? [] : [expandHome(privateKey)])]
  return { ...target, identities: { ...identities, otherKeys }, hostKeys: { ...hostKeys, canBePinned: false } }
}
