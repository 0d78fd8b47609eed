/** What a storage can do beyond the minimum. Data, so that core can plan without trying. */
export interface StorageCapabilities {
  /** `put` with `ifAbsent` is atomic: of many writers exactly one wins, the others get `already-exists`. */
  readonly conditionalCreate: boolean
  /** Whether a finished `put` is seen by the next `list` at once. */
  readonly listing: 'strong' | 'eventual'
  /** Whether the storage offers removal at all. Everything but prune works without it. */
  readonly canRemove: boolean
  /** Largest object in bytes. */
  readonly maxObjectBytes: number
  /** How many transfers at once are sensible. */
  readonly concurrency: number
  /** True for storages that are read at the speed of this machine's disks; core then keeps no cache. */
  readonly isLocal: boolean
  /** Whether objects can be locked against removal until a date. */
  readonly objectLock: boolean
  /**
   * Whether bytes in shared memory cost `put` no more than others, as is so where they go to `node:fs`, `node:net` or `node:http`.
   * Where it does not say so, a storage that did not come with bkp is given a copy of each pack. Since 1.1.
   */
  readonly sharedMemory?: boolean
}

/** What every call of a storage may be given. */
export interface CallOptions {
  /** Aborting rejects the call with the signal's reason, as soon as the implementation can. */
  readonly signal?: AbortSignal
}

/** How an object is put. */
export interface PutOptions extends CallOptions {
  /** Reject with `already-exists` instead of replacing. Best effort without `conditionalCreate`. */
  readonly ifAbsent?: boolean
}

/** Which bytes of an object are read, and where to. */
export interface GetOptions extends CallOptions {
  /** First byte wanted, default 0. */
  readonly offset?: number
  /** Bytes wanted, default up to the end. */
  readonly length?: number
  /**
   * Memory for the result, exactly as long as the range. An implementation that can reads straight into it and resolves
   * with it; one that cannot ignores it. May be shared memory. It belongs to the caller again, who may have other bytes in it, when the
   * call has ended; over a network already when the signal is aborted, since nobody waits for what hangs.
   */
  readonly into?: Uint8Array
}

/** An object as lists tell of it. */
export interface StoredObject {
  readonly key: string
  readonly sizeBytes: number
}

/**
 * Where a repository lies. Keys are ASCII, `/`-separated segments of `[A-Za-z0-9._-]`, each 1 to 128
 * characters, never `.` or `..`, at most 512 characters in all; core has checked them.
 *
 * An implementation does no retry, no limiting, no caching and no checking of content: core wraps it.
 * Calls may run at the same time. Every rejection is a `PortError`.
 */
export interface Storage {
  readonly capabilities: StorageCapabilities

  /**
   * Stores `data` under `key`. All or nothing: until it resolves, and for ever if it rejects or the
   * process dies, readers see the old object or none. When it resolves the object is durable.
   * Safe to repeat. Replaces, unless `ifAbsent`.
   * @throws PortError `already-exists`, `quota`, `forbidden`, `auth`, `transient`, `offline`, …
   */
  put(key: string, data: Uint8Array, options?: PutOptions): Promise<void>

  /**
   * Reads bytes. Never short: resolves with exactly the range asked for. A range that begins or ends
   * behind the end of the object is `range-invalid`; a zero-length range at any place inside is legal.
   * The result belongs to the caller.
   * @throws PortError `not-found`, `range-invalid`, …
   */
  get(key: string, options?: GetOptions): Promise<Uint8Array>

  /** @throws PortError `not-found` */
  stat(key: string, options?: CallOptions): Promise<StoredObject>

  /**
   * Every object whose key begins with `prefix` (a plain string prefix, e.g. `packs/` or `packs/ab`),
   * each once, in any order, nothing else (no temporary files, no folders). A missing prefix is an
   * empty list; a repository that is not reachable is an error.
   */
  list(prefix: string, options?: CallOptions): AsyncIterable<StoredObject>

  /**
   * Removes an object; removing what is not there succeeds.
   * @throws PortError `unsupported` if it cannot remove at all, `forbidden` if it may not.
   */
  remove(key: string, options?: CallOptions): Promise<void>

  /** Frees connections and handles. May be called twice. */
  close(): Promise<void>

  /**
   * The far side's clock in milliseconds since 1970, to find a wrong one there or here. Left out where there is no way to
   * ask, and on this machine.
   */
  readonly now?: ((options?: CallOptions) => Promise<number>) | undefined
}

/** What a storage factory is given. */
export interface StorageRequest {
  /** As the user typed it, without a query, e.g. `/mnt/disk/backup` or `s3://bucket/prefix`; never holds a secret. */
  readonly url: string
  /**
   * From the user's configuration, the query of the URL and the environment variables that the schema names; validated
   * against the JSON Schema of the contribution. Values of `x-bkp-secret` properties are `Secret`s.
   */
  readonly configuration: Readonly<Record<string, unknown>>
  /**
   * `create`: the place may be made (an empty folder, a bucket prefix). `open`: the place must be
   * there already, else reject with `not-found`; a disk that is not mounted must not look empty.
   */
  readonly intent: 'create' | 'open'
  readonly log: Logger
  /** Asks the user a question that is answered by yes or no; absent where nobody can be asked, e.g. in a script. */
  readonly confirm?: (question: string) => Promise<boolean>
}

/** Opens a storage. Called once for each destination of a run. @throws PortError */
export type StorageFactory = (request: StorageRequest) => Promise<Storage>

/** Messages for people who look for a fault; never for data, never with secrets. */
export interface Logger {
  debug(message: string, details?: Readonly<Record<string, unknown>>): void
  info(message: string, details?: Readonly<Record<string, unknown>>): void
  warn(message: string, details?: Readonly<Record<string, unknown>>): void
}
