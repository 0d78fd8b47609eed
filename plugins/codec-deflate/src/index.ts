import { type CompressionModule, PortError } from '@bkp/plugin-api'
import { deflateSync, inflateSync } from 'fflate'

const levels = [1, 2, 3, 4, 5, 6, 7, 8, 9] as const
type Level = (typeof levels)[number]
const defaultLevel = 6

/** Raw DEFLATE (RFC 1951) in JavaScript: works wherever Node runs, at a tenth of the speed of zstd. */
const deflate: CompressionModule = {
  id: 'deflate',
  create(configuration) {
    const level: Level = levels.find((candidate) => candidate === configuration.level) ?? defaultLevel
    return {
      compress(input, output) {
        const compressed = deflateSync(input, { level })
        if (compressed.length > output.length) return -1
        output.set(compressed)
        return compressed.length
      },
      decompress(input, output) {
        let plain: Uint8Array
        try {
          // With `out`, fflate never writes or allocates beyond it.
          plain = inflateSync(input, { out: output })
        } catch (cause) {
          throw new PortError('corrupt', 'A deflate stream is damaged', { cause })
        }
        if (plain.length !== output.length)
          throw new PortError('corrupt', `A deflate stream holds ${plain.length} bytes instead of ${output.length}`)
        if (plain.buffer !== output.buffer) output.set(plain)
      },
    }
  },
}

export default deflate
