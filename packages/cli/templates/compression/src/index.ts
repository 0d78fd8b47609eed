import { type CompressionModule, PortError } from '@bkp/plugin-api'
import { BrotliCompressor } from './brotli-compressor.js'

const defaultLevel = 4

// Imported in worker threads. The id is written into repositories and means these bytes for ever.
const compression: CompressionModule = {
  id: '{{id}}',
  create: ({ level = defaultLevel }) => new BrotliCompressor(parseLevel(level)),
}

export default compression

function parseLevel(level: unknown): number {
  if (typeof level === 'number' && Number.isInteger(level) && level >= 0 && level <= 11) return level
  throw new PortError('config', `The level of {{id}} is a whole number from 0 to 11, not ${String(level)}`)
}
