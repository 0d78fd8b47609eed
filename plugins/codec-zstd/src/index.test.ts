import { describeCompression, expectPortRejection } from '@bkp/testkit'
import { describe, it } from 'vitest'
import zstd from './index.js'

const text = Buffer.from('the backup of a folder, '.repeat(6) + '0123456789'.repeat(3))
const blocks = '6501002402746865206261636b7570206f66206120666f6c6465722c203031323334353637383902002d34a26e3ac7'

const golden = new URL('../golden.json', import.meta.url)
const vectors = [
  { name: 'a frame of zstd 1.5.7, level 3', plain: text, compressedHex: `28b52ffd20ae${blocks}` },
  { name: 'a frame with a checksum', plain: text, compressedHex: `28b52ffd24ae${blocks}7f05249c` },
  { name: 'a frame that does not tell its size', plain: text, compressedHex: `28b52ffd0058${blocks}` },
  { name: 'an empty frame', plain: new Uint8Array(0), compressedHex: '28b52ffd2000010000' },
  {
    name: 'a frame with a size of two bytes',
    plain: new Uint8Array(1000),
    compressedHex: '28b52ffd60e8024d00001000000100e32b8005',
  },
  { name: 'a run-length block', plain: new Uint8Array(5).fill(0x61), compressedHex: '28b52ffd20052b000061' },
]

describeCompression(zstd, { vectors, golden })
describeCompression(zstd, { name: 'level 1', configuration: { level: 1 }, vectors })

describe('the configuration of zstd', () => {
  it.each([0, 20, 2.5, '3', null])('refuses the level %j', (level) =>
    expectPortRejection('config', () => zstd.create({ level })),
  )
})
