import { PortError, type PortErrorCode } from '@bkp/plugin-api'

/** What the words of rclone and of the providers behind it mean. rclone answers nearly everything with status 500. */
const meanings: readonly (readonly [RegExp, PortErrorCode])[] = [
  [/(object|directory|bucket|file) not found|is a directory|not a directory|no such file/i, 'not-found'],
  // What Apache says of what would lie below a file.
  [/(read metadata failed|couldn't list files): 400/, 'not-found'],
  [/\b412 precondition failed|already exists/i, 'already-exists'],
  [/(find|found) section in config|config file|unable to decrypt|is a file not a directory/i, 'config'],
  [/no space left|quota|insufficient storage|\b507\b/i, 'quota'],
  [/too many requests|slow ?down|rate ?limit|\b429\b/i, 'throttled'],
  [/unauthori[sz]ed|invalidaccesskey|signaturedoesnotmatch|unable to authenticate|invalid_grant|\b401\b/i, 'auth'],
  [/forbidden|permission denied|access ?denied|read-only file system|\b403\b/i, 'forbidden'],
  [/connection refused|no such host|no route to host|network is unreachable/i, 'offline'],
]

const hints: Partial<Record<PortErrorCode, string>> = {
  auth: 'Log in anew: rclone config reconnect REMOTE:',
  config: 'Look at what rclone knows: rclone listremotes, rclone config show',
}

/** @param text rclone's own words */
export function failureOf(what: string, text: string): PortError {
  const code = meanings.find(([words]) => words.test(text))?.[1] ?? 'transient'
  const hint = hints[code]
  return new PortError(code, `${what}: rclone says: ${withoutSecrets(text)}`, hint === undefined ? {} : { hint })
}

/** Errors of providers quote URLs: passwords stand before the host, signatures and tokens in the query. */
export function withoutSecrets(text: string): string {
  return text.replace(/\/\/[^\s/@"]*@/g, '//***@').replace(/(https?:\/\/[^\s?"]*)\?[^\s"]*/g, '$1?***')
}
