import { PortError } from '@bkp/plugin-api'
import type { Location } from './location.js'
import type { SftpOptions } from './options.js'
import { type HostSettings, type ProxySetting, readHostSettings } from './ssh-config.js'
import { type Surroundings, type Target, toJumpTarget, toTarget } from './target.js'

/** A server, as a URL or ProxyJump names it. */
export type Named = Omit<Location, 'folder'>

/** The way to a server: through all `jumps`, the nearest first. */
export interface Route {
  readonly jumps: readonly Target[]
  readonly target: Target
}

/** More is taken for a circle. */
const mostJumps = 8

/**
 * The way that the option `proxyJump` says, else the ssh configuration. As with ssh, the first of several hosts may itself be
 * reached by others; each of them has a Host block of its own.
 * @throws PortError `unsupported` for ProxyCommand, `config` for what names no host and for circles
 */
export function toRoute(location: Location, options: SftpOptions, around: Surroundings): Route {
  const settings = readHostSettings(location.host, location.user, options.sshConfig)
  const proxy = options.proxyJump === undefined ? settings.proxy : proxyOfOption(options.proxyJump)
  const read = ({ host, user }: Named) => readHostSettings(host, user, options.sshConfig)
  const jumps = jumpsTo(location, proxy, read).map(({ place, settings }) =>
    toJumpTarget(place, options, settings, around),
  )
  return { jumps, target: toTarget(location, options, settings, around) }
}

interface Jump {
  readonly place: Named
  readonly settings: HostSettings
}

/** @param read gives the settings of a host */
export function jumpsTo(
  to: Named,
  proxy: ProxySetting,
  read: (place: Named) => HostSettings,
  left = mostJumps,
): Jump[] {
  if (proxy.kind === 'none') return []
  if (proxy.kind === 'command')
    throw new PortError(
      'unsupported',
      `The ssh configuration reaches ${to.host} by ProxyCommand, which bkp does not run`,
      {
        hint: 'Where the command goes by another SSH server, name that: ProxyJump in the ssh configuration, or the option proxyJump; none goes straight there',
      },
    )
  const [first, ...others] = parseJumps(proxy.hosts).filter((place) => !isSame(place, to))
  // `Host *` with ProxyJump holds for the jump host too.
  if (first === undefined) return []
  if (others.length + 1 > left)
    throw new PortError(
      'config',
      `More than ${mostJumps} servers are on the way to ${to.host}: do they go in a circle?`,
      {
        hint: 'Look at ProxyJump in the ssh configuration',
      },
    )
  const settings = read(first)
  const before = jumpsTo(first, settings.proxy, read, left - others.length - 1)
  return [...before, { place: first, settings }, ...others.map((place) => ({ place, settings: read(place) }))]
}

/** `[user@]host[:port]` or `ssh://[user@]host[:port]`, separated by commas. @throws PortError `config` */
export function parseJumps(text: string): Named[] {
  return text.split(',').map((part) => {
    const url = urlOf(`ssh://${part.trim().replace(/^ssh:\/\//i, '')}`)
    const isHost = url !== undefined && url.hostname !== '' && url.password === '' && /^\/?$/.test(url.pathname)
    if (!isHost)
      throw new PortError('config', 'A jump host is not understood', {
        hint: 'Write user@host:port, several separated by commas; passwords may not stand there',
      })
    return {
      host: decodeURIComponent(url.hostname).replace(/^\[(.*)\]$/, '$1'),
      ...(url.port === '' ? {} : { port: Number(url.port) }),
      ...(url.username === '' ? {} : { user: decodeURIComponent(url.username) }),
    }
  })
}

function urlOf(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined
}

function proxyOfOption(hosts: string): ProxySetting {
  return hosts.toLowerCase() === 'none' ? { kind: 'none' } : { kind: 'jump', hosts }
}

function isSame(one: Named, other: Named): boolean {
  const isEqual = <T>(a: T | undefined, b: T | undefined) => a === undefined || b === undefined || a === b
  return (
    one.host.toLowerCase() === other.host.toLowerCase() &&
    isEqual(one.port, other.port) &&
    isEqual(one.user, other.user)
  )
}
