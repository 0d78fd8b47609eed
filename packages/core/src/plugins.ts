/** Plugins that the user installed: manifests, approvals, hashes. Apart from the engine, for commands that manage plugins. */
export { PluginLogs } from './log/plugin-logs.js'
export { claimsOf, settleConflicts } from './plugins/claims.js'
export {
  entryOf,
  type FaultyPlugin,
  faultsOf,
  fitsApi,
  type InstalledPlugin,
  knownPorts,
  type ReadManifests,
  readManifest,
} from './plugins/manifest.js'
export { type ContributionTrace, type PluginTrace, type TraceOptions, tracePlugin } from './plugins/trace/trace.js'
export * from './plugins/trust/approvals.js'
export * from './plugins/trust/approved-plugins.js'
export * from './plugins/trust/file-list.js'
