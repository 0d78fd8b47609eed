import { PortError } from '@bkp/plugin-api'

const magic = 0xfd2fb528
const contentSizeBytes = [0, 2, 4, 8] as const
const checksumBytes = 4
const blockKind = { raw: 0, runLength: 1, compressed: 2 } as const

/**
 * Walks over the headers of `input` (RFC 8878, section 3.1.1) without decompressing anything, so that both engines
 * accept the same: exactly one frame, whole, without a dictionary.
 *
 * @returns the size of the content in bytes, undefined if the frame does not say
 * @throws PortError `corrupt`
 */
export function checkFrame(input: Uint8Array): number | undefined {
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength)
  const descriptor = input[4]
  if (descriptor === undefined || view.getUint32(0, true) !== magic) throw damaged('it does not begin as a frame')
  if ((descriptor & 0b1000) !== 0) throw damaged('a reserved bit is set')
  if ((descriptor & 0b11) !== 0) throw damaged('it wants a dictionary')
  const isSingleSegment = (descriptor & 0b10_0000) !== 0
  const hasChecksum = (descriptor & 0b100) !== 0
  const sizeFlag = descriptor >> 6
  const sizeAt = 5 + (isSingleSegment ? 0 : 1)
  const sizeBytes = sizeFlag === 0 && isSingleSegment ? 1 : (contentSizeBytes[sizeFlag] ?? 0)
  const firstBlock = sizeAt + sizeBytes
  if (firstBlock > input.length) throw truncated()
  const end = endOfBlocks(input, firstBlock) + (hasChecksum ? checksumBytes : 0)
  if (end > input.length) throw truncated()
  if (end < input.length) throw damaged(`${input.length - end} bytes follow it`)
  return contentSize(view, sizeAt, sizeBytes)
}

/** The message says what is wrong, never what the bytes are. */
export function damaged(reason: string, cause?: unknown): PortError {
  return new PortError('corrupt', `A zstd frame is damaged: ${reason}`, { cause })
}

function endOfBlocks(input: Uint8Array, first: number): number {
  for (let at = first; ; ) {
    const [low, middle, high] = [input[at], input[at + 1], input[at + 2]]
    if (low === undefined || middle === undefined || high === undefined) throw truncated()
    const header = low | (middle << 8) | (high << 16)
    const kind = (header >> 1) & 0b11
    if (kind > blockKind.compressed) throw damaged('a block is of a reserved kind')
    at += 3 + (kind === blockKind.runLength ? 1 : header >> 3)
    if ((header & 1) === 1) return at
  }
}

function contentSize(view: DataView, at: number, bytes: number): number | undefined {
  switch (bytes) {
    case 1:
      return view.getUint8(at)
    case 2:
      return view.getUint16(at, true) + 256
    case 4:
      return view.getUint32(at, true)
    case 8:
      return Number(view.getBigUint64(at, true))
    default:
      return undefined
  }
}

function truncated(): PortError {
  return damaged('it is cut off')
}
