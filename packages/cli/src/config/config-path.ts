import { dirname, join, resolve } from 'node:path'

/** What the place of the configuration depends on. */
export interface Machine {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly platform: NodeJS.Platform
  readonly home: string
}

export interface ConfigPath {
  readonly path: string
  /** Whether the user named it: then it must be there. */
  readonly isNamed: boolean
}

/** Where the configuration is: `--config`, else BKP_CONFIG, else the system's place for such files. */
export function configPath({ env, platform, home }: Machine, flag: string | undefined): ConfigPath {
  const named = flag ?? (env.BKP_CONFIG === '' ? undefined : env.BKP_CONFIG)
  if (named !== undefined) return { path: resolve(named), isNamed: true }
  return { path: join(folderOf(env, platform, home), 'bkp', 'config.yaml'), isNamed: false }
}

function folderOf(env: Machine['env'], platform: NodeJS.Platform, home: string): string {
  // A relative XDG_CONFIG_HOME is to be ignored, says the standard.
  if (env.XDG_CONFIG_HOME?.startsWith('/')) return env.XDG_CONFIG_HOME
  if (platform === 'win32') return env.APPDATA || join(home, 'AppData', 'Roaming')
  return platform === 'darwin' ? join(home, 'Library', 'Application Support') : join(home, '.config')
}

/** A path of the configuration: absolute, from the home folder (`~/`), or relative to the folder of the file. */
export function pathInConfig(path: string, configFile: string, home: string): string {
  return path === '~' || path.startsWith('~/') ? join(home, path.slice(1)) : resolve(dirname(configFile), path)
}
