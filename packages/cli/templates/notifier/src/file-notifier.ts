import { appendFile } from 'node:fs/promises'
import { type Notification, type Notifier, type NotifierRequest, type NotifyOptions, PortError } from '@bkp/plugin-api'

/** Appends a line for every message. One attempt per call: core repeats and limits the time. */
class FileNotifier implements Notifier {
  readonly #file: string

  constructor(file: string) {
    this.#file = file
  }

  async notify(notification: Notification, { signal }: NotifyOptions): Promise<void> {
    signal.throwIfAborted()
    try {
      await appendFile(this.#file, `${lineOf(notification)}\n`)
    } catch (cause) {
      const { code, message } = cause as NodeJS.ErrnoException
      const kind = code === 'ENOSPC' ? 'quota' : code === 'EACCES' || code === 'EROFS' ? 'forbidden' : 'config'
      throw new PortError(kind, `The notification cannot be written: ${message}`, { cause })
    }
  }

  async close(): Promise<void> {}
}

export function createNotifier({ configuration: { file } }: NotifierRequest): Notifier {
  if (typeof file !== 'string') throw new PortError('config', 'The option file is missing')
  return new FileNotifier(file)
}

/** `2026-11-24T02:00:00Z failed backup on server: …`, always one line. */
function lineOf({ kind, command, host, startedAt, finishedAt, summary }: Notification): string {
  const line = `${finishedAt ?? startedAt} ${kind} ${command} on ${host}: ${summary}`
  return line.replace(/\s*\n\s*/g, '; ')
}
