import { type ApplicationKey, startB2StandIn } from '../../b2-stand-in/index.js'
import { describeWholeRuns } from './support/whole-runs.js'

// Against a stand-in written from B2's documentation: there is no server of B2 to install.
describeWholeRuns('B2', {
  also: ['storms'],
  expires: true,
  async start() {
    const standIn = await startB2StandIn()
    const { hostname, port } = new URL(standIn.realmUrl)
    const address = { host: hostname, port: Number(port) }
    // Through a proxy goes a key of the test's own, which can be taken away; the master key stays.
    let key: ApplicationKey = standIn.createKey()
    return {
      address,
      get env() {
        return { FAULTS_B2_KEY: key.applicationKey, FAULTS_B2_MASTER: standIn.applicationKey }
      },
      writtenPlace(at, place) {
        const isDirect = at.port === address.port
        const { applicationKeyId } = isDirect ? standIn : key
        const applicationKey = isDirect ? 'env:FAULTS_B2_MASTER' : 'env:FAULTS_B2_KEY'
        const realmUrl = `http://${at.host}:${at.port}`
        return { url: `b2://${standIn.bucket}/${place}`, options: { realmUrl, applicationKeyId, applicationKey } }
      },
      async prepare() {
        key = standIn.createKey()
      },
      async remove(place) {
        for (const name of standIn.names()) if (name.startsWith(`${place}/`)) standIn.drop(name)
      },
      async filesIn(place) {
        const inPlace = (names: readonly string[]) => names.filter((name) => name.startsWith(`${place}/`))
        return [
          ...inPlace(standIn.names()).map((name) => name.slice(place.length + 1)),
          ...inPlace(standIn.unfinished()).map((name) => `@unfinished ${name}`),
        ]
      },
      revoke: async () => standIn.deleteKey(key.applicationKeyId),
      allow: async () => undefined,
      async expire() {
        standIn.expireTokens()
        standIn.expireUploadUrls()
      },
      room: {
        end: async () => standIn.setCaps({ storageBytes: 1 }),
        make: async () => standIn.setCaps({}),
      },
      stop: () => standIn.close(),
    }
  },
})
