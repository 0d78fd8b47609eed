import { type CompressionModule, PortError } from '@bkp/plugin-api'
import { BrotliCompressor } from './brotli-compressor.js'

const defaultLevel = 5
const highestLevel = 11

/** Brotli (RFC 7932). Configuration: `level`, 0 to 11, default 5. bkp imports this module inside its worker threads. */
const brotli: CompressionModule = {
  // Written on disk beside every blob: it stays what it is, and so does what it means.
  id: 'brotli',
  create({ level = defaultLevel }) {
    if (typeof level === 'number' && Number.isInteger(level) && level >= 0 && level <= highestLevel) {
      return new BrotliCompressor(level)
    }
    throw new PortError(
      'config',
      `The level of brotli is a whole number from 0 to ${highestLevel}, not ${String(level)}`,
    )
  },
}

export default brotli
