import { isSecret, PortError, type Secret, type StorageRequest } from '@bkp/plugin-api'

/** The options of the manifest, parsed. */
export interface Settings {
  /** Of the repository's collection: http or https, with a slash at the end, without a user. */
  readonly root: string
  readonly username: string | undefined
  readonly password: Secret | undefined
  readonly token: Secret | undefined
  readonly authentication: 'auto' | 'basic' | 'digest' | 'bearer'
  /** Path of a PEM file. */
  readonly ca: string | undefined
  readonly publication: 'auto' | 'put' | 'move'
  readonly concurrency: number
}

/** @throws PortError `config` */
export function settingsOf({ url, configuration }: Pick<StorageRequest, 'url' | 'configuration'>): Settings {
  const address = parse(url)
  const text = (name: string) => (typeof configuration[name] === 'string' ? configuration[name] : undefined)
  const number = (name: string) => (typeof configuration[name] === 'number' ? configuration[name] : undefined)
  const secret = (name: string) => (isSecret(configuration[name]) ? configuration[name] : undefined)
  const settings: Settings = {
    root: address.root,
    username: text('username') ?? address.username,
    password: secret('password'),
    token: secret('token'),
    authentication: oneOf(['auto', 'basic', 'digest', 'bearer'], text('authentication')),
    ca: text('ca'),
    publication: oneOf(['auto', 'put', 'move'], text('publication')),
    concurrency: number('concurrency') ?? 4,
  }
  checkLogin(settings)
  return settings
}

function parse(url: string): { root: string; username: string | undefined } {
  const web = url.replace(/^webdav(s?):/i, 'http$1:')
  if (!URL.canParse(web)) {
    throw new PortError('config', 'This is no URL of a WebDAV server', {
      hint: 'It looks like webdavs://user@host/path, or webdav://host:port/path for a server without TLS',
    })
  }
  const { origin, pathname, username, password } = new URL(web)
  if (password !== '') {
    throw new PortError('config', `The URL of ${origin} holds a password`, {
      hint: 'Leave it out of the URL, and set the environment variable BKP_WEBDAV_PASSWORD',
    })
  }
  const root = `${origin}${pathname.endsWith('/') ? pathname : `${pathname}/`}`
  return { root, username: username === '' ? undefined : decodeURIComponent(username) }
}

/** The first is the default. */
function oneOf<const T extends string>(allowed: readonly [T, ...T[]], value: string | undefined): T {
  return allowed.find((one) => one === value) ?? allowed[0]
}

function checkLogin({ root, username, password, token, authentication }: Settings): void {
  const wantsToken = authentication === 'bearer' || (authentication === 'auto' && token !== undefined)
  if (wantsToken) {
    if (token === undefined) throw incomplete(root, 'bearer needs a token', 'BKP_WEBDAV_TOKEN')
    if (!/^[\x21-\x7e]+$/.test(token.reveal())) {
      throw incomplete(root, 'the token holds characters that no token can have', 'BKP_WEBDAV_TOKEN')
    }
    return
  }
  if (username === undefined && (password !== undefined || authentication !== 'auto')) {
    throw new PortError('config', `Cannot log in at ${root}: there is no user name`, {
      hint: 'Put it into the URL, as in webdavs://ann@host/path, or into the option username',
    })
  }
  if (username !== undefined && password === undefined) {
    throw incomplete(root, `there is no password for ${username}`, 'BKP_WEBDAV_PASSWORD')
  }
}

function incomplete(root: string, what: string, variable: string): PortError {
  return new PortError('config', `Cannot log in at ${root}: ${what}`, {
    hint: `Set the environment variable ${variable}, or the option of the destination`,
  })
}
