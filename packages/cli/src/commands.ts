import Backup from './commands/backup.js'
import Check from './commands/check.js'
import Completion from './commands/completion.js'
import Diff from './commands/diff.js'
import Doctor from './commands/doctor.js'
import Dump from './commands/dump.js'
import Find from './commands/find.js'
import Init from './commands/init.js'
import Ls from './commands/ls.js'
import Restore from './commands/restore.js'
import Snapshots from './commands/snapshots.js'
import Stats from './commands/stats.js'

/** Every command by its id, for oclif's explicit strategy. */
export const COMMANDS = {
  backup: Backup,
  check: Check,
  completion: Completion,
  diff: Diff,
  doctor: Doctor,
  dump: Dump,
  find: Find,
  init: Init,
  ls: Ls,
  restore: Restore,
  snapshots: Snapshots,
  stats: Stats,
}
