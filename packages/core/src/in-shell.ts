/** An argument as a shell takes it back, for commands that are hints. */
export function inShell(argument: string): string {
  return /^[\w@%+=:,./~-][\w@%+=:,./~#-]*$/.test(argument) ? argument : `'${argument.replaceAll("'", "'\\''")}'`
}
