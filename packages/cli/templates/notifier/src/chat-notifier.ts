import {
  isSecret,
  type Notification,
  type Notifier,
  type NotifierRequest,
  type NotifyOptions,
  notificationTitle,
  PortError,
  portErrorOfConnection,
  portErrorOfStatus,
  retryAfterMs,
  type Secret,
} from '@bkp/plugin-api'

/** Posts a text for every message. One attempt per call: core repeats and limits the time. */
class ChatNotifier implements Notifier {
  readonly #url: URL
  readonly #token: Secret

  constructor(url: URL, token: Secret) {
    this.#url = url
    this.#token = token
  }

  async notify(notification: Notification, { signal }: NotifyOptions): Promise<void> {
    const text = `${notificationTitle(notification)}\n${notification.summary}`
    const headers = { Authorization: `Bearer ${this.#token.reveal()}`, 'Content-Type': 'application/json' }
    let response: Response
    try {
      response = await fetch(this.#url, { method: 'POST', headers, body: JSON.stringify({ text }), signal })
    } catch (error) {
      if (signal.aborted) throw signal.reason
      throw portErrorOfConnection(error, `${this.#url.host} cannot be reached`)
    }
    // Not read: an answer may quote the request, and with it the token.
    await response.body?.cancel()
    if (response.ok) return
    const wait = retryAfterMs(response.headers.get('retry-after'), Date.now())
    throw portErrorOfStatus(response.status, `${this.#url.host} answers with ${response.status}`, {
      hint: 'Check url and token, then try it: bkp notifiers test',
      ...(wait === undefined ? {} : { retryAfterMs: wait }),
    })
  }

  async close(): Promise<void> {
    // A queue of your own would be sent here.
  }
}

export function createNotifier({ configuration: { url, token } }: NotifierRequest): Notifier {
  if (typeof url !== 'string' || !isWeb(url)) throw new PortError('config', 'The option url is no address of the web')
  if (!isSecret(token)) throw new PortError('config', 'The option token is missing')
  return new ChatNotifier(new URL(url), token)
}

function isWeb(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, username, password } = new URL(text)
  // fetch refuses a URL with a password, in an error that quotes it.
  return /^https?:$/.test(protocol) && username === '' && password === ''
}
