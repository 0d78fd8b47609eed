import Backup from './commands/backup.js'
import Check from './commands/check.js'
import Completion from './commands/completion.js'
import ConfigEdit from './commands/config/edit.js'
import ConfigExport from './commands/config/export.js'
import ConfigImport from './commands/config/import.js'
import ConfigPath from './commands/config/path.js'
import ConfigShow from './commands/config/show.js'
import ConfigValidate from './commands/config/validate.js'
import Copy from './commands/copy.js'
import DestinationsAdd from './commands/destinations/add.js'
import DestinationsList from './commands/destinations/list.js'
import DestinationsRemove from './commands/destinations/remove.js'
import DestinationsStatus from './commands/destinations/status.js'
import DestinationsTest from './commands/destinations/test.js'
import Diff from './commands/diff.js'
import Doctor from './commands/doctor.js'
import Dump from './commands/dump.js'
import Find from './commands/find.js'
import Init from './commands/init.js'
import Ls from './commands/ls.js'
import Migrate from './commands/migrate.js'
import NotifiersTest from './commands/notifiers/test.js'
import PluginsApprove from './commands/plugins/approve.js'
import PluginsAudit from './commands/plugins/audit.js'
import PluginsCreate from './commands/plugins/create.js'
import PluginsInspect from './commands/plugins/inspect.js'
import PluginsInstall from './commands/plugins/install.js'
import PluginsLink from './commands/plugins/link.js'
import PluginsLint from './commands/plugins/lint.js'
import PluginsList from './commands/plugins/list.js'
import PluginsUninstall from './commands/plugins/uninstall.js'
import PluginsUpdate from './commands/plugins/update.js'
import Restore from './commands/restore.js'
import Snapshots from './commands/snapshots.js'
import Stats from './commands/stats.js'
import Sync from './commands/sync.js'

/** Every command by its id, for oclif's explicit strategy. */
export const COMMANDS = {
  backup: Backup,
  check: Check,
  completion: Completion,
  'config:edit': ConfigEdit,
  'config:export': ConfigExport,
  'config:import': ConfigImport,
  'config:path': ConfigPath,
  'config:show': ConfigShow,
  'config:validate': ConfigValidate,
  copy: Copy,
  'destinations:add': DestinationsAdd,
  'destinations:list': DestinationsList,
  'destinations:remove': DestinationsRemove,
  'destinations:status': DestinationsStatus,
  'destinations:test': DestinationsTest,
  diff: Diff,
  doctor: Doctor,
  dump: Dump,
  find: Find,
  init: Init,
  ls: Ls,
  migrate: Migrate,
  'notifiers:test': NotifiersTest,
  'plugins:approve': PluginsApprove,
  'plugins:audit': PluginsAudit,
  'plugins:create': PluginsCreate,
  'plugins:inspect': PluginsInspect,
  'plugins:install': PluginsInstall,
  'plugins:link': PluginsLink,
  'plugins:lint': PluginsLint,
  'plugins:list': PluginsList,
  'plugins:uninstall': PluginsUninstall,
  'plugins:update': PluginsUpdate,
  restore: Restore,
  snapshots: Snapshots,
  stats: Stats,
  sync: Sync,
}
