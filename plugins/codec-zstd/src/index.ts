import { type CompressionModule, PortError } from '@bkp/plugin-api'
import { chooseEngine, partsOfThisProcess } from './choose-engine.js'
import { ZstdCompressor } from './zstd-compressor.js'

// The half of the time of level 3 for some seven percent more: compression is what a first backup spends its time with.
const defaultLevel = 1
const maxLevel = 19

/** Zstandard (RFC 8878), one frame per blob. Configuration: `level`, 1 to 19, default 1. */
const zstd: CompressionModule = {
  id: 'zstd',
  create: async ({ level = defaultLevel }) =>
    new ZstdCompressor(await chooseEngine(parseLevel(level), partsOfThisProcess())),
}

export default zstd

function parseLevel(level: unknown): number {
  if (typeof level === 'number' && Number.isInteger(level) && level >= 1 && level <= maxLevel) return level
  throw new PortError('config', `The level of zstd is a whole number from 1 to ${maxLevel}, not ${String(level)}`)
}
