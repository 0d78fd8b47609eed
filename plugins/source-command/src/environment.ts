/**
 * What was for bkp alone: passphrases, and what storages of bkp take from variables of their own. Credentials that other
 * programs know, e.g. AWS_SECRET_ACCESS_KEY, may be what the program needs. The notifier `command` has the same.
 */
const ours = /^BKP_\w*(PASSWORD|PASSPHRASE|TOKEN|SECRET|RECOVERY_CODE)/i

/** The environment of the program: that of bkp without its secrets. */
export function environmentOf(inherited: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(inherited).filter(([name]) => !ours.test(name)))
}
