import { readdirSync, readFileSync } from 'node:fs'
import { homedir, userInfo } from 'node:os'
import { basename, dirname, isAbsolute, join } from 'node:path'
import { PortError } from '@bkp/plugin-api'
import SSHConfig, { glob } from 'ssh-config'

/** What the ssh configuration of the user says about a host; see ssh_config(5). */
export interface HostSettings {
  readonly hostName: string
  readonly port?: number
  readonly user?: string
  /** Paths, in the order in which they are tried. */
  readonly identityFiles: readonly string[]
  /** Only keys that are named here are tried, also of those that the agent has. */
  readonly identitiesOnly: boolean
  readonly identityAgent?: string
  /** Empty where nothing is said. */
  readonly knownHostsFiles: readonly string[]
  readonly hostKeyAlias?: string
  readonly acceptsNewHostKey: boolean
  readonly hashesKnownHosts: boolean
  /** Of ProxyJump and ProxyCommand the one that ssh would take, which is the first. */
  readonly proxy: ProxySetting
}

export type ProxySetting =
  | { readonly kind: 'none' }
  /** As written: hosts, separated by commas. */
  | { readonly kind: 'jump'; readonly hosts: string }
  | { readonly kind: 'command' }

const deepestInclude = 16

/**
 * Settings for a host or an alias.
 * @param path of the file; undefined is `~/.ssh/config`, which may be missing
 * @throws PortError `config` when a file that was named cannot be read
 */
export function readHostSettings(alias: string, user: string | undefined, path: string | undefined): HostSettings {
  const text = readConfig(path)
  return settingsOf(text, alias, user)
}

/** As {@link readHostSettings}, of text in which no file is included. */
export function settingsOf(text: string, alias: string, user: string | undefined): HostSettings {
  // `Match exec` would run commands of the file; a backup that asks for a host must not.
  const found = SSHConfig.parse(text).compute(
    { Host: alias, ...(user === undefined ? {} : { User: user }) },
    { ignoreCase: true, matchExec: false },
  )
  const one = (name: string) => {
    const value = found[name]
    const first = Array.isArray(value) ? value[0] : value
    return first === undefined || first.toLowerCase() === 'none' ? undefined : first
  }
  const many = (name: string) => {
    const value = found[name]
    return value === undefined ? [] : Array.isArray(value) ? value : [value]
  }
  const hostName = one('hostname')?.replaceAll('%h', alias) ?? alias
  const port = one('port')
  const remoteUser = user ?? one('user')
  const expand = (path: string) =>
    expandHome(path).replace(/%([%dhpru])/g, (_, letter: string) => {
      const values: Record<string, string> = {
        '%': '%',
        d: homedir(),
        h: hostName,
        p: port ?? '22',
        r: remoteUser ?? '',
        u: userInfo().username,
      }
      return values[letter] ?? ''
    })
  const agent = one('identityagent')
  const hostKeyAlias = one('hostkeyalias')
  const strict = one('stricthostkeychecking')?.toLowerCase() ?? ''
  return {
    hostName,
    ...(port === undefined ? {} : { port: Number(port) }),
    ...(remoteUser === undefined ? {} : { user: remoteUser }),
    identityFiles: many('identityfile')
      .filter((file) => file.toLowerCase() !== 'none')
      .map(expand),
    identitiesOnly: one('identitiesonly')?.toLowerCase() === 'yes',
    ...(agent === undefined || agent === 'SSH_AUTH_SOCK' ? {} : { identityAgent: expand(agent) }),
    // One value may hold several files.
    knownHostsFiles: many('userknownhostsfile')
      .flatMap((files) => files.split(/\s+/))
      .filter((file) => file !== '' && file.toLowerCase() !== 'none')
      .map(expand),
    ...(hostKeyAlias === undefined ? {} : { hostKeyAlias }),
    acceptsNewHostKey: ['accept-new', 'no', 'off'].includes(strict),
    hashesKnownHosts: one('hashknownhosts')?.toLowerCase() === 'yes',
    proxy: proxyOf(
      Object.keys(found).find((name) => name === 'proxyjump' || name === 'proxycommand'),
      one,
    ),
  }
}

function proxyOf(name: string | undefined, one: (name: string) => string | undefined): ProxySetting {
  const value = name === undefined ? undefined : one(name)
  if (value === undefined) return { kind: 'none' }
  return name === 'proxycommand' ? { kind: 'command' } : { kind: 'jump', hosts: value }
}

/** `~` is the home of the user who runs this. */
export function expandHome(path: string): string {
  return path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : path
}

function readConfig(path: string | undefined): string {
  const file = expandHome(path ?? '~/.ssh/config')
  try {
    return includeFiles(readFileSync(file, 'utf8'), dirname(file), 0)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (path === undefined && (code === 'ENOENT' || code === 'ENOTDIR')) return ''
    throw new PortError('config', `Cannot read the ssh configuration ${file}: ${message}`, { cause: error })
  }
}

/** Replaces `Include` lines, which the library leaves alone, by what they name. */
function includeFiles(text: string, folder: string, depth: number): string {
  let isTopLevel = true
  return text
    .split(/\r?\n/)
    .map((line) => {
      if (/^\s*(?:Host|Match)[\s=]/i.test(line)) isTopLevel = false
      const include = /^\s*Include[\s=]+(.*)$/i.exec(line)?.[1]
      if (include === undefined || depth >= deepestInclude) return line
      const texts = include
        .trim()
        .split(/\s+/)
        .flatMap((pattern) => matchingFiles(pattern.replace(/^"(.*)"$/, '$1'), folder))
        .map((file) => includeFiles(readFileSync(file, 'utf8'), folder, depth + 1))
      // What follows an include at the top holds for all hosts, whichever the included file spoke of last.
      return [...texts, ...(isTopLevel && texts.length > 0 ? ['Host *'] : [])].join('\n')
    })
    .join('\n')
}

/** Wildcards are known in the last part of a path. */
function matchingFiles(pattern: string, folder: string): string[] {
  const expanded = expandHome(pattern)
  const path = isAbsolute(expanded) ? expanded : join(folder, expanded)
  const names = (() => {
    try {
      return readdirSync(dirname(path))
    } catch {
      // As ssh does: what is not there includes nothing.
      return []
    }
  })()
  return names
    .filter((name) => glob(basename(path), name))
    .sort()
    .map((name) => join(dirname(path), name))
}
