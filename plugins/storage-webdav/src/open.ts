import type { Storage, StorageRequest } from '@bkp/plugin-api'
import { makeRoot } from './collections.js'
import { Connection } from './connection.js'
import { rootMissing } from './errors.js'
import { look } from './looking.js'
import { settingsOf } from './settings.js'
import { WebdavStorage } from './webdav-storage.js'

/** Opens a collection as a storage. @throws PortError `not-found` when it must be there and is not; `config`, `auth`, … */
export async function openWebdavStorage(request: StorageRequest): Promise<Storage> {
  const settings = settingsOf(request)
  const connection = await Connection.prepare(settings)
  try {
    const question = { path: '', what: 'Cannot open the folder' }
    let found = await look(connection, question)
    if (found === undefined && request.intent === 'create') {
      await makeRoot(connection, { what: `Cannot make the folder ${settings.root}`, signal: undefined })
      found = await look(connection, question)
    }
    if (found?.kind !== 'collection') throw rootMissing(settings.root)
    return new WebdavStorage(connection, settings, request.log)
  } catch (error) {
    connection.close()
    throw error
  }
}
