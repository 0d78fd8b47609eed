import type { Notification, NotificationKind } from '@bkp/plugin-api'

/** A message of a kind, as bkp sends it. */
export function sampleNotification(kind: NotificationKind, summary = `It is ${kind}`): Notification {
  const exitCode = { started: undefined, finished: 0, degraded: 4, failed: 1 }[kind]
  return {
    kind,
    command: 'backup',
    job: 'documents',
    host: 'nas',
    startedAt: '2026-11-24T02:30:00.000Z',
    summary,
    ...(exitCode === undefined
      ? {}
      : { finishedAt: '2026-11-24T02:31:00.000Z', exitCode, report: { version: 1, snapshot: null, issues: [] } }),
  }
}
