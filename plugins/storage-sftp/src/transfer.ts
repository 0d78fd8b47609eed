import { copyInto, PortError } from '@bkp/plugin-api'
import type { Session } from './session.js'

// Requests on their way at once, for one object. Together as much as OpenSSH's window of a channel, 2 MiB: more would only
// wait in memory, less would leave a long line idle.
const requests = 8
// The largest that OpenSSH takes, as ssh2 counts; it cuts them for other servers.
const requestBytes = 254 * 1024

/** Memory of one request each, used again: fresh memory of this size costs as much as what is done with it. */
const spare: Buffer[] = []
const mostSpare = 32

/** Writes all of `data` to an open file. Does not read `data` any more once the signal is aborted. */
export async function writeAll(
  session: Session,
  handle: Buffer,
  data: Uint8Array,
  signal: AbortSignal | undefined,
): Promise<void> {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  await inParallel(bytes.length, signal, (offset, length) => session.write(handle, bytes, offset, length))
}

/**
 * Fills all of `into` from an open file. Bytes come by way of memory of its own: an answer that arrives after the call
 * was aborted must not be written into memory that belongs to the caller again.
 * @param key for messages
 */
export async function readAll(
  session: Session,
  handle: Buffer,
  position: number,
  into: Uint8Array,
  key: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  await inParallel(into.length, signal, async (offset, length) => {
    const memory = spare.pop() ?? Buffer.allocUnsafeSlow(requestBytes)
    for (let done = 0; done < length; ) {
      const count = await session.read(handle, memory, length - done, position + offset + done)
      signal?.throwIfAborted()
      if (count === 0) throw new PortError('transient', `${key} became shorter while it was read`)
      copyInto(into, memory.subarray(0, count), offset + done)
      done += count
    }
    if (spare.length < mostSpare) spare.push(memory)
  })
}

/** Comes to its end when nothing is on its way any more, also when it fails. */
async function inParallel(
  length: number,
  signal: AbortSignal | undefined,
  request: (offset: number, length: number) => Promise<void>,
): Promise<void> {
  let next = 0
  const work = async () => {
    while (next < length) {
      signal?.throwIfAborted()
      const offset = next
      next += requestBytes
      try {
        await request(offset, Math.min(requestBytes, length - offset))
      } catch (error) {
        next = length
        throw error
      }
    }
  }
  const workers = Array.from({ length: Math.min(requests, Math.ceil(length / requestBytes)) }, work)
  const failed = (await Promise.allSettled(workers)).find((outcome) => outcome.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}
