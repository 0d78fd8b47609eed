import 'reflect-metadata'

export { createEngine } from './composition.js'
export * from './config/destination.js'
export * from './engine/api.js'
export * from './errors/index.js'
