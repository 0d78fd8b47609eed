import { isPortError, type Storage } from '@bkp/plugin-api'
import type { Destination } from '../../config/destination.js'
import { shownUrl } from '../../config/destination-url.js'
import { BkpError } from '../../errors/index.js'
import { inShell } from '../../in-shell.js'
import type { PluginAccess } from '../plugin-access.js'

/**
 * Opens a place to try it. One that is not there is not made: it may lie on a disk that is not mounted.
 * @throws BkpError `not-found` where there is nothing; what the storage says else
 */
export async function openToTry(plugins: PluginAccess, destination: Destination): Promise<Storage> {
  try {
    return await plugins.openStorage(destination, 'open')
  } catch (cause) {
    if (!isPortError(cause, 'not-found')) throw cause
    const { name, url } = destination
    const place = name === shownUrl(url) ? url : name
    const hint = `${cause.hint ?? 'Check the address'}; the test makes no place: a new one is begun by: bkp init --to ${inShell(place)}`
    throw new BkpError('not-found', cause.message, { hint, cause })
  }
}
