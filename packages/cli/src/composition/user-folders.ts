import { homedir } from 'node:os'
import { join, resolve } from 'node:path'

export interface UserFolders {
  /** What may be deleted at any time: only speed is lost. */
  readonly cache: string
  /** What this machine remembers of earlier runs; nothing depends on it. */
  readonly state: string
  /** Installed plugins and what was approved of them. */
  readonly data: string
}

/** Folders of this user for bkp, in the system's places for such; BKP_CACHE_DIR and BKP_DATA_DIR go before. */
export function userFolders(
  env: Readonly<Record<string, string | undefined>>,
  platform = process.platform,
): UserFolders {
  const { BKP_CACHE_DIR, BKP_DATA_DIR, XDG_CACHE_HOME, XDG_DATA_HOME, XDG_STATE_HOME, LOCALAPPDATA, HOME } = env
  const home = HOME || homedir()
  const local = LOCALAPPDATA || join(home, 'AppData', 'Local')
  const library = join(home, 'Library')
  const places = {
    cache: platform === 'win32' ? local : platform === 'darwin' ? join(library, 'Caches') : join(home, '.cache'),
    state:
      platform === 'win32'
        ? local
        : platform === 'darwin'
          ? join(library, 'Application Support')
          : join(home, '.local', 'state'),
    data:
      platform === 'win32'
        ? local
        : platform === 'darwin'
          ? join(library, 'Application Support')
          : join(home, '.local', 'share'),
  }
  const folder = (chosen: string | undefined, usual: string) => join(chosen?.startsWith('/') ? chosen : usual, 'bkp')
  return {
    cache: BKP_CACHE_DIR ? resolve(BKP_CACHE_DIR) : folder(XDG_CACHE_HOME, places.cache),
    state: folder(XDG_STATE_HOME, places.state),
    data: BKP_DATA_DIR ? resolve(BKP_DATA_DIR) : folder(XDG_DATA_HOME, places.data),
  }
}
