import 'reflect-metadata'
import { container, type DependencyContainer, Lifecycle } from 'tsyringe'
import { ConfigFile } from '../config/config-file.js'
import { Jobs } from '../config/jobs.js'
import { PlaceResolver } from '../flags/places.js'
import { NotifierTargets } from '../notify/notifier-targets.js'
import { RunNotifications } from '../notify/run-notifications.js'
import { SecretReader } from '../secrets/secret-reader.js'
import { SecretReferences } from '../secrets/secret-references.js'
import type { CommandLog } from './command-log.js'
import { EngineSession } from './engine-session.js'
import type { ProcessParts } from './process-parts.js'
import {
  AskSecret,
  CommandSignal,
  CreateEngine,
  DescribeNotifiers,
  DescribeStorages,
  Log,
  Machine,
  Terminal,
} from './tokens.js'

const processScopes = new WeakMap<ProcessParts, DependencyContainer>()

/** What lives as long as the process. */
function processScope(parts: ProcessParts): DependencyContainer {
  const known = processScopes.get(parts)
  if (known !== undefined) return known
  const scope = container.createChildContainer()
  scope.register(Terminal, { useValue: parts.terminal })
  scope.register(CreateEngine, { useValue: parts.createEngine })
  scope.register(AskSecret, { useValue: parts.askSecret })
  scope.register(DescribeStorages, { useValue: parts.describeStorages })
  scope.register(DescribeNotifiers, { useValue: parts.describeNotifiers })
  scope.register(Machine, { useValue: parts.machine })
  processScopes.set(parts, scope)
  return scope
}

/** What lives as long as one command. The third scope, an open repository, is core's. */
export interface CommandScope {
  readonly secrets: SecretReader
  readonly references: SecretReferences
  readonly session: EngineSession
  readonly config: ConfigFile
  readonly jobs: Jobs
  readonly places: PlaceResolver
  readonly notifications: RunNotifications
  readonly notifierTargets: NotifierTargets
}

export function createCommandScope(parts: ProcessParts, log: CommandLog, signal: AbortSignal): CommandScope {
  const scope = processScope(parts).createChildContainer()
  // One for all that ask for it: what one has read, another knows.
  scope.register(ConfigFile, { useClass: ConfigFile }, { lifecycle: Lifecycle.ContainerScoped })
  scope.register(EngineSession, { useClass: EngineSession }, { lifecycle: Lifecycle.ContainerScoped })
  scope.register(Log, { useValue: log })
  scope.register(CommandSignal, { useValue: signal })
  return {
    secrets: scope.resolve(SecretReader),
    references: scope.resolve(SecretReferences),
    session: scope.resolve(EngineSession),
    config: scope.resolve(ConfigFile),
    jobs: scope.resolve(Jobs),
    places: scope.resolve(PlaceResolver),
    notifications: scope.resolve(RunNotifications),
    notifierTargets: scope.resolve(NotifierTargets),
  }
}
