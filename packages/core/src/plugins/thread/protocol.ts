import type { Notification, StorageCapabilities, StoredObject } from '@bkp/plugin-api'
import type { LogMessage } from '../../log/plugin-logs.js'
import type { SentError } from '../../sent-error.js'
import type { InstalledPlugin } from '../manifest.js'

/** What the thread of a plugin is started with. */
export interface PluginThreadStart {
  readonly plugin: Omit<InstalledPlugin, 'verify'>
}

export interface SentStorageRequest {
  readonly url: string
  readonly intent: 'create' | 'open'
  /** Made by `sendConfiguration`. */
  readonly configuration: unknown
  /** Whether there is somebody to ask. */
  readonly canAsk: boolean
}

/** A storage that was opened in the thread. */
export interface OpenedStorage {
  readonly handle: number
  readonly capabilities: StorageCapabilities
  /** Whether it tells the clock of the far side. */
  readonly tellsTime: boolean
}

/** Part of a list. */
export interface ListedObjects {
  readonly objects: readonly StoredObject[]
  readonly isLast: boolean
}

/** Bytes of a piece of memory that is worth being used again. */
export const leastLent = 1024 * 1024

/** What the main thread may ask for, by name; each call may be aborted. Handles are numbers that the thread has given. */
export interface Calls {
  activate(): undefined
  openStorage(id: string, request: SentStorageRequest): OpenedStorage
  /** @returns the memory of `data`, if there is at least {@link leastLent} of it, when nobody needs it any more */
  put(storage: number, key: string, data: Uint8Array, ifAbsent: boolean | undefined): ArrayBuffer | undefined
  /** @returns undefined when the bytes are in `into`, which is shared memory */
  get(
    storage: number,
    key: string,
    range: { readonly offset?: number; readonly length?: number },
    into: Uint8Array | undefined,
  ): Uint8Array | undefined
  stat(storage: number, key: string): StoredObject
  list(storage: number, prefix: string): number
  next(list: number): ListedObjects
  endList(list: number): undefined
  remove(storage: number, key: string): undefined
  now(storage: number): number
  closeStorage(storage: number): undefined
  openNotifier(id: string, configuration: unknown): number
  notify(notifier: number, notification: Notification): undefined
  closeNotifier(notifier: number): undefined
}

export type CallName = keyof Calls

/** To the thread. */
export type Order =
  | { readonly kind: 'call'; readonly call: number; readonly name: CallName; readonly given: readonly unknown[] }
  | { readonly kind: 'abort'; readonly call: number; readonly reason: SentError }
  | { readonly kind: 'answer'; readonly question: number; readonly isYes: boolean }
  /** Is answered by itself, as long as nothing keeps the thread. */
  | { readonly kind: 'ping' }
  | { readonly kind: 'end' }

/** From the thread. */
export type Message =
  | { readonly kind: 'done'; readonly call: number; readonly result: unknown }
  /** @property wasAborted that the error is the reason for which the call was aborted */
  | { readonly kind: 'failed'; readonly call: number; readonly error: SentError; readonly wasAborted: boolean }
  | { readonly kind: 'ask'; readonly call: number; readonly question: number; readonly text: string }
  | { readonly kind: 'ping' }
  | LogMessage
