import type { CompressionModule } from '@bkp/plugin-api'
import { createZstd } from './engine.js'

const defaultLevel = 3

/** Zstandard, one frame per blob. */
const zstd: CompressionModule = {
  id: 'zstd',
  create: (configuration) => createZstd(typeof configuration.level === 'number' ? configuration.level : defaultLevel),
}

export default zstd
