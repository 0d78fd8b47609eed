import { type Notification, notificationTitle, type Secret } from '@bkp/plugin-api'

/**
 * What was for bkp alone: passphrases, and what storages of bkp take from variables of their own. Credentials that other
 * programs know, e.g. AWS_SECRET_ACCESS_KEY, may be what the program needs. The source `command` has the same.
 */
const ours = /^BKP_\w*(PASSWORD|PASSPHRASE|TOKEN|SECRET|RECOVERY_CODE)/i

/** Linux takes no variable longer than 128 KiB; the whole text stands in the JSON. */
const longestCharacters = 30_000

/** The environment of the program: that of bkp without its secrets, and the parts of the message. */
export function environmentOf(
  notification: Notification,
  token: Secret | undefined,
  inherited: NodeJS.ProcessEnv = process.env,
): NodeJS.ProcessEnv {
  const { kind, command, job, host, exitCode, summary, startedAt, finishedAt } = notification
  const parts: Readonly<Record<string, string | undefined>> = {
    BKP_KIND: kind,
    BKP_TITLE: notificationTitle(notification),
    BKP_SUMMARY: summary,
    BKP_COMMAND: command,
    BKP_JOB: job,
    BKP_HOST: host,
    BKP_EXIT_CODE: exitCode?.toString(),
    BKP_STARTED_AT: startedAt,
    BKP_FINISHED_AT: finishedAt,
    BKP_TOKEN: token?.reveal(),
  }
  const environment = { ...inherited }
  for (const name of Object.keys(inherited)) if (ours.test(name) || Object.hasOwn(parts, name)) delete environment[name]
  for (const [name, value] of Object.entries(parts))
    if (value !== undefined) environment[name] = value.slice(0, longestCharacters).replaceAll('\0', '')
  return environment
}
