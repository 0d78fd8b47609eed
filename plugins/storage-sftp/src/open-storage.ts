import type { Storage, StorageRequest } from '@bkp/plugin-api'
import { connect } from './connection.js'
import { wrap } from './errors.js'
import { Folders, isFolder, join, makeRoot, rootMissing } from './folders.js'
import { HostKeys } from './host-keys.js'
import { findIdentities } from './identities.js'
import { type Folder, parseLocation } from './location.js'
import { type Hop, UnknownHost } from './login.js'
import { toSftpOptions } from './options.js'
import { createsAtomically } from './publication.js'
import { toRoute } from './route.js'
import type { Session } from './session.js'
import { SessionPool } from './session-pool.js'
import { SftpStorage } from './sftp-storage.js'
import { surroundings, type Target } from './target.js'
import { removeStale } from './temporary-files.js'

/**
 * Connects to an SSH server and opens a folder there as a storage.
 * @throws PortError `offline`, `auth`, `config` when the server is not known or another one, `not-found` when the folder
 *   must be there and is not, `unsupported`, …
 */
export async function openSftpStorage(request: StorageRequest): Promise<Storage> {
  const options = toSftpOptions(request.configuration)
  const location = parseLocation(request.url)
  const { jumps, target } = toRoute(location, options, surroundings(process.env))
  // Once for all connections: to open an encrypted key takes a second of computing.
  const toHop = async (server: Target): Promise<Hop> => ({
    target: server,
    identities: await findIdentities(server.identities, request.log),
    hostKeys: new HostKeys(server.hostKeys, request.log),
  })
  const [hop, ...hops] = await Promise.all([target, ...jumps].map(toHop))
  const connectOnce = (signal?: AbortSignal) => connect(hop as Hop, hops, request.log, signal)

  const first = await meet(request.confirm, connectOnce)
  // Known by now: nobody is asked about a server in the middle of a run.
  const again = (signal: AbortSignal) => meet(undefined, () => connectOnce(signal))
  const pool = new SessionPool(again, options.channels, request.log, first)
  try {
    const root = await rootOf(first, target.folder)
    await wrap(`Cannot open the folder ${root} on ${target.host}`, async () => {
      if (request.intent === 'create') await makeRoot(first, root)
      else if (!(await isFolder(first, root))) throw rootMissing(root)
      await removeStale(first, root, Date.now(), request.log)
    })
    return new SftpStorage(pool, root, new Folders(root, options.isDurable), {
      conditionalCreate: createsAtomically(first),
      concurrency: options.channels,
      isDurable: options.isDurable,
    })
  } catch (error) {
    pool.close()
    throw error
  }
}

/** Asks the user about servers that are met for the first time, if there is one to be asked. */
async function meet(
  confirm: StorageRequest['confirm'] | undefined,
  connectOnce: () => Promise<Session>,
): Promise<Session> {
  for (;;) {
    try {
      return await connectOnce()
    } catch (error) {
      if (!(error instanceof UnknownHost)) throw error
      const { hostKeys, hostKey } = error
      if (confirm === undefined || !(await confirm(hostKeys.question(hostKey)))) throw hostKeys.unknown(hostKey)
      hostKeys.accept(hostKey.key)
    }
  }
}

async function rootOf(session: Session, folder: Folder): Promise<string> {
  if (folder.from === 'root') return folder.path
  return join(await wrap('Cannot find the login folder', () => session.realPath('.')), folder.path)
}
