export * from './compression/describe-compression.js'
export * from './encryption/describe-encryption.js'
export * from './support/port-failures.js'
export * from './support/samples.js'
