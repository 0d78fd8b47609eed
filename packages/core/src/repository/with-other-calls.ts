import type { Storage } from '@bkp/plugin-api'

/** A storage some calls of which are others'. */
export function withOtherCalls(storage: Storage, calls: Partial<Pick<Storage, 'get' | 'close'>>): Storage {
  return {
    // What a storage can do it may learn while it works.
    get capabilities() {
      return storage.capabilities
    },
    now: storage.now,
    put: (key, data, options) => storage.put(key, data, options),
    get: (key, options) => storage.get(key, options),
    stat: (key, options) => storage.stat(key, options),
    list: (prefix, options) => storage.list(prefix, options),
    remove: (key, options) => storage.remove(key, options),
    close: () => storage.close(),
    ...calls,
  }
}
