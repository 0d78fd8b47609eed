import { isSecret, type NotificationKind, notificationKinds, PortError, type Secret } from '@bkp/plugin-api'

/** The options of the manifest, parsed. */
export interface Settings {
  readonly urls: Readonly<Partial<Record<NotificationKind | 'any', Secret>>>
  readonly token: Secret | undefined
  readonly method: 'POST' | 'PUT' | 'GET'
  readonly text: string | undefined
  readonly json: Readonly<Record<string, unknown>> | undefined
  readonly headers: Readonly<Record<string, string>>
}

/** @throws PortError `config` */
export function settingsOf(configuration: Readonly<Record<string, unknown>>): Settings {
  const { text, json, method, headers, token } = configuration
  const urls: Partial<Record<NotificationKind | 'any', Secret>> = {}
  if (isSecret(configuration.url)) urls.any = configuration.url
  for (const kind of notificationKinds) {
    const url = configuration[`${kind}Url`]
    if (isSecret(url)) urls[kind] = url
  }
  if (Object.keys(urls).length === 0)
    throw new PortError('config', 'The webhook has no URL', { hint: 'Give one: options.url' })
  for (const [kind, url] of Object.entries(urls)) {
    if (isWeb(url)) continue
    const option = kind === 'any' ? 'url' : `${kind}Url`
    throw new PortError('config', `The option ${option} of the webhook is no URL`, {
      hint: 'It begins with https:// or http://, without name and password; a token is an option of its own',
    })
  }
  if (text !== undefined && json !== undefined)
    throw new PortError('config', 'The webhook has both text and json', { hint: 'Leave out one of them' })
  return {
    urls,
    token: isSecret(token) ? token : undefined,
    method: method === 'GET' || method === 'PUT' ? method : 'POST',
    text: typeof text === 'string' ? text : undefined,
    json: json as Settings['json'],
    headers: (headers ?? {}) as Settings['headers'],
  }
}

/** Where a message goes; undefined when nobody is to be told of its kind. */
export function urlFor({ urls }: Settings, kind: NotificationKind): URL | undefined {
  const url = urls[kind] ?? urls.any
  return url === undefined ? undefined : new URL(url.reveal())
}

function isWeb(url: Secret): boolean {
  if (!URL.canParse(url.reveal())) return false
  const { protocol, username, password } = new URL(url.reveal())
  // fetch refuses the latter with a message that quotes them.
  return /^https?:$/.test(protocol) && username === '' && password === ''
}
