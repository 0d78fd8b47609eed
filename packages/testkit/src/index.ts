export * from './compression/describe-compression.js'
export * from './support/port-failures.js'
export * from './support/samples.js'
