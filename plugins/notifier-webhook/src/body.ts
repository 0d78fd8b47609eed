import { type Notification, notificationTitle } from '@bkp/plugin-api'
import type { Settings } from './settings.js'

export interface Body {
  readonly type: string
  readonly text: string
}

/** The message itself as JSON, or what the configuration makes of it. */
export function bodyOf({ text, json }: Pick<Settings, 'text' | 'json'>, notification: Notification): Body {
  if (text !== undefined) return { type: 'text/plain; charset=utf-8', text: filled(text, notification) }
  const content = json === undefined ? notification : filledIn(json, notification)
  return { type: 'application/json', text: JSON.stringify(content) }
}

/** Replaces `{title}` and the like; braces around anything else stay. */
export function filled(template: string, notification: Notification): string {
  const { kind, command, job, host, summary, exitCode, startedAt, finishedAt } = notification
  const title = notificationTitle(notification)
  const parts: Readonly<Record<string, unknown>> = {
    title,
    kind,
    command,
    job,
    host,
    summary,
    exitCode,
    startedAt,
    finishedAt,
  }
  return template.replace(/\{(\w+)\}/g, (whole, name: string) =>
    Object.hasOwn(parts, name) ? String(parts[name] ?? '') : whole,
  )
}

function filledIn(value: unknown, notification: Notification): unknown {
  if (typeof value === 'string') return filled(value, notification)
  if (Array.isArray(value)) return value.map((inner) => filledIn(inner, notification))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, filledIn(inner, notification)]))
}
