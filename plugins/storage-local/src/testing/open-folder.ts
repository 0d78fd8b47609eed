import type { Storage, StorageRequest } from '@bkp/plugin-api'
import { openLocalStorage } from '../local-storage.js'

/** Opens a folder as core does. */
export function openFolder(url: string, intent: StorageRequest['intent'] = 'open'): Promise<Storage> {
  return openLocalStorage({ url, configuration: {}, intent, log: silentLog })
}

const silentLog = { debug: () => undefined, info: () => undefined, warn: () => undefined }
