import type { LogMessage } from '../../log/plugin-logs.js'
import type { InstalledPlugin } from '../manifest.js'

/** What of a plugin is tried in one process: its entry, or a module that threads would import. */
export type TraceUnit =
  | { readonly kind: 'entry' }
  | { readonly kind: 'module'; readonly port: string; readonly id: string; readonly module: string }

/** What the process is told, once. */
export interface TraceOrder {
  readonly plugin: Omit<InstalledPlugin, 'verify'>
  readonly unit: TraceUnit
}

/** What the process says. */
export type TraceMessage =
  | LogMessage
  /** Why it does not work, if it does not. */
  | { readonly kind: 'done'; readonly ms: number; readonly error?: string }
