import type { Notifier } from '@bkp/plugin-api'
import { describe } from 'vitest'
import { describeDelivery } from './delivery.js'
import { describeRefusals } from './refusals.js'

/** A notifier and the service that it tells; made anew for every test. */
export interface NotifierFixture {
  readonly notifier: Notifier
  /** Everything that has arrived by now, one text for each message, as the service got it. */
  received(): Promise<readonly string[]>
  /** Removes the service. The suite has closed `notifier` before. */
  dispose(): Promise<void>
}

/** What a service can be like. */
export type ServiceState =
  | 'working'
  /** Nobody is there, or it says that it cannot be used just now. */
  | 'offline'
  /** Takes the message and never answers. */
  | 'hanging'
  /** Refuses, and quotes all that it was sent, secrets included. */
  | 'refusing'

/** How a notifier is tested. */
export interface NotifierSuiteOptions {
  open(service: ServiceState): Promise<NotifierFixture>
  /** Values of secret options, as texts: they must be in no error. */
  readonly secrets: readonly string[]
}

/** What the parts of the suite are given. */
export interface NotifierUnderTest {
  withNotifier(service: ServiceState, action: (fixture: NotifierFixture) => Promise<void>): Promise<void>
  readonly secrets: readonly string[]
}

/** The suite that every notifier plugin runs. Call it at the top level of a test file. */
export function describeNotifier(name: string, { open, secrets }: NotifierSuiteOptions): void {
  const tested: NotifierUnderTest = {
    secrets,
    async withNotifier(service, action) {
      const fixture = await open(service)
      try {
        await action(fixture)
      } finally {
        await fixture.notifier.close()
        await fixture.dispose()
      }
    },
  }
  describe(`notifier ${name}`, () => {
    describeDelivery(tested)
    describeRefusals(tested)
  })
}
