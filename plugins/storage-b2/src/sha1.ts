import { createHash } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'

/** About ten milliseconds of hashing, after which others may go on. */
const pieceBytes = 8 * 1_048_576

/** SHA-1 in hexadecimal, which B2 checks what arrives against. Large data do not block the thread. */
export async function sha1Of(data: Uint8Array, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha1')
  for (let at = 0; at < data.length; at += pieceBytes) {
    if (at > 0) await turn()
    signal?.throwIfAborted()
    hash.update(data.subarray(at, at + pieceBytes))
  }
  return hash.digest('hex')
}
