/**
 * What every face of bkp (command line, later a server) calls. Nothing here prints, exits or reads argv.
 * A run reports through `onEvent`; everything can be cancelled by `signal`.
 */
export * from './api/backup.js'
export * from './api/check.js'
export * from './api/copy.js'
export * from './api/destinations.js'
export * from './api/engine.js'
export * from './api/migration.js'
export * from './api/notify.js'
export * from './api/restore.js'
export * from './api/run.js'
export * from './api/snapshots.js'
