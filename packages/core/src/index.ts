import 'reflect-metadata'

export * from './errors/index.js'
export * from './engine/api.js'
export { createEngine } from './composition.js'
