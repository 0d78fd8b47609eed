import 'reflect-metadata'

export { type CreateEngineOptions, createEngine } from './composition.js'
export * from './config/destination.js'
export { defaultNotificationKinds, type NotifierTarget } from './config/notifier.js'
export * from './engine/api.js'
export * from './errors/index.js'
