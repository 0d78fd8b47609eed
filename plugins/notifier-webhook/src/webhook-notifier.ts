import {
  type Notification,
  type Notifier,
  type NotifierRequest,
  type NotifyOptions,
  portErrorOfConnection,
  portErrorOfStatus,
  retryAfterMs,
} from '@bkp/plugin-api'
import { type Body, bodyOf } from './body.js'
import { type Settings, settingsOf, urlFor } from './settings.js'

const userAgent = 'bkp-notifier-webhook'

/** @throws PortError `config` */
export function openWebhookNotifier({ configuration }: NotifierRequest): Notifier {
  const settings = settingsOf(configuration)
  return {
    async notify(notification: Notification, { signal }: NotifyOptions): Promise<void> {
      const url = urlFor(settings, notification.kind)
      // Nothing is to be told of this kind.
      if (url === undefined) return
      await send(url, settings, settings.method === 'GET' ? undefined : bodyOf(settings, notification), signal)
    },
    async close() {
      // Connections that nobody uses keep nothing alive.
    },
  }
}

async function send(url: URL, settings: Settings, body: Body | undefined, signal: AbortSignal): Promise<void> {
  const token = settings.token?.reveal()
  const headers = {
    'User-Agent': userAgent,
    ...(body === undefined ? {} : { 'Content-Type': body.type }),
    ...settings.headers,
    ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
  }
  // Of a URL that is a secret, only the host may be told.
  const where = `The webhook at ${url.host}`
  let response: Response
  try {
    response = await fetch(url, { method: settings.method, headers, signal, ...(body && { body: body.text }) })
  } catch (error) {
    if (signal.aborted) throw signal.reason
    throw portErrorOfConnection(error, `${where} cannot be reached`)
  }
  // Not read: an answer may quote the request. It has to be let go of, or its connection stays.
  await response.body?.cancel()
  if (response.ok) return
  const wait = retryAfterMs(response.headers.get('retry-after'), Date.now())
  throw portErrorOfStatus(response.status, `${where} answers with ${response.status}`, {
    hint: 'Check its URL and its token, then try it: bkp notifiers test',
    ...(wait === undefined ? {} : { retryAfterMs: wait }),
  })
}
