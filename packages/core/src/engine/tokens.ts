import type { Logger } from '@bkp/plugin-api'
import type { InjectionToken } from 'tsyringe'
import type { EngineOptions } from './api.js'
import type { PluginAccess } from './plugin-access.js'

/** The time, in milliseconds since 1970. */
export type Clock = () => number
export const Clock: InjectionToken<Clock> = Symbol('Clock')

/** Cryptographic randomness. */
export type RandomBytes = (count: number) => Uint8Array
export const RandomBytes: InjectionToken<RandomBytes> = Symbol('RandomBytes')

/** Where the engine tells what is of interest beside results and events. */
export const Log: InjectionToken<Logger> = Symbol('Log')

export const EngineSettings: InjectionToken<EngineOptions> = Symbol('EngineSettings')
export const Plugins: InjectionToken<PluginAccess> = Symbol('Plugins')
