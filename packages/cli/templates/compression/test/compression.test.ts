import { describeCompression, expectPortRejection } from '@bkp/testkit'
import { describe, it } from 'vitest'
import compression from '../src/index.js'

describeCompression(compression, {
  // Whatever this file holds must be read for ever. BKP_GOLDEN=update npm test adds what a new version writes.
  golden: new URL('../golden.json', import.meta.url),
  vectors: [{ name: 'an empty stream', plain: new Uint8Array(0), compressedHex: '3b' }],
})

describe('the level', () => {
  it.each([-1, 12, 2.5, '3'])('cannot be %j', (level) =>
    expectPortRejection('config', async () => compression.create({ level })),
  )
})
