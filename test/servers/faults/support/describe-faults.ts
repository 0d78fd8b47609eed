import { afterAll, afterEach, beforeAll, describe } from 'vitest'
import { describeConnectionFaults } from './connection-faults.js'
import { FaultBench } from './fault-bench.js'
import type { FaultSuite } from './fault-target.js'
import { describeHttpFaults } from './http-faults.js'

/** What core makes of a storage whose network and server fail; run against a real server for every network plugin. */
export function describeFaults(name: string, suite: FaultSuite): void {
  describe(`${name}, when the network fails`, () => {
    let bench: FaultBench
    beforeAll(async () => {
      bench = await FaultBench.start(await suite.start())
    })
    afterEach(() => bench.tidy())
    afterAll(() => bench?.stop())

    describeConnectionFaults(() => bench)
    if (suite.protocol === 'http') describeHttpFaults(() => bench)
  })
}
