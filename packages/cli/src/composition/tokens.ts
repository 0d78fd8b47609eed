import type { InjectionToken } from 'tsyringe'
import type { Machine as MachineType } from '../config/config-path.js'
import type { CommandLog } from './command-log.js'
import type {
  AskSecret as AskSecretType,
  CreateEngine as CreateEngineType,
  DescribeNotifiers as DescribeNotifiersType,
  DescribeStorages as DescribeStoragesType,
} from './process-parts.js'
import type { Terminal as TerminalType } from './terminal.js'

export type Terminal = TerminalType
export const Terminal: InjectionToken<Terminal> = Symbol('Terminal')

export type AskSecret = AskSecretType
export const AskSecret: InjectionToken<AskSecret> = Symbol('AskSecret')

export type CreateEngine = CreateEngineType
export const CreateEngine: InjectionToken<CreateEngine> = Symbol('CreateEngine')

/** Where plugins and the engine tell what is of interest. */
export type Log = CommandLog
export const Log: InjectionToken<Log> = Symbol('Log')

/** Aborted when the user interrupts. */
export const CommandSignal: InjectionToken<AbortSignal> = Symbol('CommandSignal')

export type DescribeStorages = DescribeStoragesType
export const DescribeStorages: InjectionToken<DescribeStorages> = Symbol('DescribeStorages')

export type DescribeNotifiers = DescribeNotifiersType
export const DescribeNotifiers: InjectionToken<DescribeNotifiers> = Symbol('DescribeNotifiers')

export type Machine = MachineType
export const Machine: InjectionToken<Machine> = Symbol('Machine')
