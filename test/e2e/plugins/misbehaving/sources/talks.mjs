import { oneFile } from './one-file.mjs'

export default {
  id: 'talks',
  openSource({ log }) {
    log.debug('the source was opened', { token: process.env.TALKS_TOKEN, bytes: new Uint8Array(2) })
    return oneFile((call) => log.info(`${call} was called`))
  },
}
