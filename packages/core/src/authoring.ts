/** What authors of plugins need to know beforehand: whether a manifest and a schema would be accepted. */

export { type RangeFault, rangeFault } from './plugins/api-range.js'
export { configurationSchemaFault } from './plugins/configuration-schema.js'
export { faultsOf as manifestFaults, knownPorts } from './plugins/manifest.js'
export { manifestSchema } from './plugins/manifest-schema.js'
