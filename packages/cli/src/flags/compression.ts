import type { CodecChoice, Engine } from '@bkp/core'
import type { CompressionConfig } from '@bkp/core/config'
import { UsageError } from '../errors/cli-error.js'

export interface CompressionFlags {
  readonly compression?: string | undefined
  readonly 'compression-level'?: number | undefined
}

/** The compression that the flags say, else the configuration, else the best that works here. */
export async function chooseCompression(
  engine: Engine,
  flags: CompressionFlags,
  configured: CompressionConfig | undefined,
  warn: (message: string) => void,
): Promise<CodecChoice> {
  const wanted = flags.compression ?? configured?.id
  const level = flags['compression-level'] ?? (flags.compression === undefined ? configured?.level : undefined)
  if (wanted === 'none' && level !== undefined) {
    throw new UsageError('--compression none has no level', 'Leave out --compression-level')
  }
  const id = wanted ?? (await engine.availableCompression(['zstd', 'deflate']))
  if (wanted === undefined && id !== 'zstd') warn(`zstd does not work here, so "${id}" is used; see: bkp doctor`)
  return { id, configuration: level === undefined ? {} : { level } }
}
