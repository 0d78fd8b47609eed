import { type CompressionModule, PortError } from '@bkp/plugin-api'
import { DeflateCompressor, type Level, levels } from './deflate-compressor.js'

const defaultLevel = 6

/** Raw DEFLATE (RFC 1951). Configuration: `level`, 1 to 9, default 6. */
const deflate: CompressionModule = {
  id: 'deflate',
  create: ({ level = defaultLevel }) => new DeflateCompressor(parseLevel(level)),
}

export default deflate

function parseLevel(level: unknown): Level {
  const found = levels.find((candidate) => candidate === level)
  if (found !== undefined) return found
  throw new PortError('config', `The level of deflate is a whole number from 1 to 9, not ${String(level)}`)
}
